import { expect, it } from 'vitest';
import type { TensorSpec } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import { requestRows } from './request-rows.ts';

const spec = (name: string, ...shape: number[]): TensorSpec => ({ name, datatype: 'FP32', shape });
const given = (...shapes: [string, ...number[]][]): Tensors =>
  new Map(
    shapes.map(([name, ...shape]) => [
      name,
      { datatype: 'FP32', shape, data: new Float32Array(shape.reduce((total, size) => total * size, 1)) },
    ]),
  );

it.each<[string, TensorSpec[], Tensors, number]>([
  ['those of its only input', [spec('x', -1, 2)], given(['x', 3, 2]), 3],
  ['the most of its inputs', [spec('a', -1), spec('b', -1)], given(['a', 1], ['b', 400]), 400],
  ['the same in the other order', [spec('a', -1), spec('b', -1)], given(['b', 400], ['a', 1]), 400],
  [
    'not what lies in an input of a fixed size',
    [spec('table', 500, 2), spec('x', -1)],
    given(['table', 500, 2], ['x', 2]),
    2,
  ],
  ['not another free dimension', [spec('x', 1, -1)], given(['x', 1, 700]), 1],
  ['one without free first dimensions', [spec('scalar'), spec('x', 4)], given(['scalar'], ['x', 4]), 1],
  ['without an optional input that is left out', [spec('x', -1), spec('bias', -1)], given(['x', 2]), 2],
  ['none', [spec('x', -1, 2)], given(['x', 0, 2]), 0],
])('the rows of a request are %s', (_what, inputs, tensors, rows) =>
  expect(requestRows({ inputs }, tensors)).toBe(rows),
);
