import { expect, it } from 'vitest';
import type { Tensors } from '../contract/tensor.ts';
import { Parts } from './parts.ts';
import { tensor } from './testing/versions.ts';

const inputs: Tensors = new Map([
  ['x', tensor('INT64', [3, 2], [1n, 2n, 3n, 4n, 5n, 6n])],
  ['text', tensor('BYTES', [3], ['a', 'b', 'c'])],
]);

it('gives the rows one part after the other, and puts what comes out together', () => {
  const parts = new Parts(inputs, 3);
  expect(parts.next(2)).toEqual(
    new Map([
      ['x', tensor('INT64', [2, 2], [1n, 2n, 3n, 4n])],
      ['text', tensor('BYTES', [2], ['a', 'b'])],
    ]),
  );
  expect(parts.add(parts.next(2), 2)).toBe(true);
  expect(parts.left).toBe(1);
  expect(parts.add(parts.next(1), 1)).toBe(true);
  expect([parts.left, parts.outputs]).toEqual([0, inputs]);
});

it.each<[string, Tensors]>([
  ['other rows', new Map([['y', tensor('FP32', [2, 1], [1, 2])]])],
  ['no rows', new Map([['y', tensor('FP32', [], [1])]])],
  ['wider rows', new Map([['y', tensor('FP32', [1, 2], [1, 2])]])],
  ['another rank', new Map([['y', tensor('FP32', [1], [1])]])],
])('takes no part with %s', (_what, second) => {
  const parts = new Parts(new Map([['x', tensor('FP32', [3, 1], [1, 2, 3])]]), 3);
  expect(parts.add(new Map([['y', tensor('FP32', [2, 1], [1, 2])]]), 2)).toBe(true);
  expect(parts.add(second, 1)).toBe(false);
});

it('refuses what would come out larger than can be carried, before there is room made for it', () => {
  const parts = new Parts(new Map([['x', tensor('FP32', [1], [1])]]), 2 ** 20);
  const row = new Map([['y', { datatype: 'FP32', shape: [1, 1_024], data: new Float32Array(1_024) } as const]]);
  expect(() => parts.add(row, 1)).toThrow('An output would take 4294967296 bytes, and at most 2147483648');
});
