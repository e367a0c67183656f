import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '../../contract/signature.ts';
import type { Tensor } from '../../contract/tensor.ts';
import { rowsOfTensors, tensorsOfRows } from './rows.ts';

const spec = (name: string, shape: number[], more: Partial<TensorSpec> = {}): TensorSpec => ({
  name,
  datatype: 'FP32',
  shape,
  ...more,
});
const signature = (...inputs: TensorSpec[]): Signature => ({ inputs, outputs: [] });
const floats = (shape: number[], data: number[]): Tensor => ({ datatype: 'FP32', shape, data: new Float32Array(data) });

describe('rows become tensors', () => {
  const text = spec('t', [-1, 1], { datatype: 'BYTES' });
  it.each<[string, TensorSpec[], unknown[], [string, Tensor][]]>([
    [
      'rows of the only input',
      [spec('x', [-1, 2])],
      [
        [1, 2],
        [3, 4],
      ],
      [['x', floats([2, 2], [1, 2, 3, 4])]],
    ],
    ['single elements', [spec('x', [-1])], [1, 2], [['x', floats([2], [1, 2])]]],
    ['single elements without their brackets', [spec('x', [-1, 1])], [1, 2], [['x', floats([2, 1], [1, 2])]]],
    ['a flat row of two fixed dimensions', [spec('x', [-1, 2, 1])], [[1, 2]], [['x', floats([1, 2, 1], [1, 2])]]],
    ['a nested row', [spec('x', [-1, 2, 1])], [[[1], [2]]], [['x', floats([1, 2, 1], [1, 2])]]],
    ['rows of a free size', [spec('x', [-1, -1])], [[1, 2, 3]], [['x', floats([1, 3], [1, 2, 3])]]],
    ['no rows', [spec('x', [-1, 2])], [], [['x', floats([0, 2], [])]]],
    [
      'objects',
      [spec('x', [-1, 2]), text],
      [{ x: [1, 2], t: 'a' }],
      [
        ['x', floats([1, 2], [1, 2])],
        ['t', { datatype: 'BYTES', shape: [1, 1], data: ['a'] }],
      ],
    ],
    [
      'objects without an optional input',
      [spec('x', [-1]), spec('s', [1], { optional: true })],
      [{ x: 1 }],
      [['x', floats([1], [1])]],
    ],
    [
      'rows beside an optional input',
      [spec('s', [1], { optional: true }), spec('x', [-1])],
      [1],
      [['x', floats([1], [1])]],
    ],
  ])('%s', (_what, inputs, instances, want) =>
    expect(tensorsOfRows(signature(...inputs), instances)).toEqual(new Map(want)),
  );

  const two = [spec('x', [-1, 2]), text];
  it.each<[string, TensorSpec[], unknown[], RegExp]>([
    ['rows for several inputs', two, [[1, 2]], /inputs 'x', 't': each instance must be an object/],
    ['an unknown input', two, [{ x: [1, 2], t: 'a', u: 1 }], /instances\[0\] has 'u', which is no input/],
    ['an input of the prototype', two, [JSON.parse('{"__proto__":[1]}')], /'__proto__', which is no input/],
    ['rows and objects mixed', two, [{ x: [1, 2], t: 'a' }, [1, 2]], /instances\[1\] must be an object/],
    [
      'an object that lacks what others have',
      two,
      [{ x: [1, 2], t: 'a' }, { x: [1, 2] }],
      /instances\[1\] lacks the input 't'/,
    ],
    [
      'an object that has what others lack',
      two,
      [{ x: [1, 2] }, { x: [1, 2], t: 'a' }],
      /instances\[0\] lacks the input 't'/,
    ],
    ['ragged rows', [spec('x', [-1, 2])], [[1, 2], [3]], /instances\[1\] has another form/],
    ['ragged rows of a free size', [spec('x', [-1, -1])], [[1, 2], [3]], /dimension 1 has 1 items/],
    [
      'a row too long',
      [spec('x', [-1, 2])],
      [
        [1, 2],
        [3, 4, 5],
      ],
      /instances\[1\] has another form/,
    ],
    ['text in a number', [spec('x', [-1, 2])], [[1, 'b']], /element 1 is "b"/],
    ['rows of a scalar', [spec('x', [])], [1], /is a scalar/],
  ])('not %s', (_what, inputs, instances, sentence) =>
    expect(() => tensorsOfRows(signature(...inputs), instances)).toThrow(sentence),
  );
});

describe('tensors become predictions', () => {
  const labels: Tensor = { datatype: 'BYTES', shape: [2], data: ['a', 'b'] };
  it.each<[string, [string, Tensor][], unknown[]]>([
    ['one number a row', [['y', floats([2], [1, 2])]], [1, 2]],
    ['one row each', [['y', floats([2, 1], [1, 2])]], [[1], [2]]],
    ['nested rows', [['y', floats([2, 1, 2], [1, 2, 3, 4])]], [[[1, 2]], [[3, 4]]]],
    [
      'several outputs',
      [
        ['y', floats([2, 1], [1, 2])],
        ['l', labels],
      ],
      [
        { y: [1], l: 'a' },
        { y: [2], l: 'b' },
      ],
    ],
    ['booleans', [['b', { datatype: 'BOOL', shape: [2], data: new Uint8Array([1, 0]) }]], [true, false]],
    [
      '64-bit integers',
      [['i', { datatype: 'INT64', shape: [2], data: new BigInt64Array([1n, 2n ** 60n]) }]],
      [1n, 2n ** 60n],
    ],
  ])('%s', (_what, outputs, want) => expect(rowsOfTensors(new Map(outputs), 2)).toEqual(want));

  it.each<[string, Tensor]>([
    ['a scalar', floats([], [1])],
    ['another number of rows', floats([3], [1, 2, 3])],
  ])('not of %s', (_what, tensor) =>
    expect(() => rowsOfTensors(new Map([['y', tensor]]), 2)).toThrow(/Output 'y'.*not a row for each of 2 instances/),
  );
});
