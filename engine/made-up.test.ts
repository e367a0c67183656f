import { describe, expect, it } from 'vitest';
import type { Datatype, Signature } from '../contract/signature.ts';
import type { Tensor } from '../contract/tensor.ts';
import { checkInputs } from './check.ts';
import { hasFreeDimension, hasIntegers, type MadeUpKind, type MadeUpOptions, madeUpInputs } from './made-up.ts';

const spec = (name: string, datatype: Datatype, shape: number[], optional?: boolean): Signature['inputs'][number] => ({
  name,
  datatype,
  shape,
  optional,
});
const signature: Signature = {
  inputs: [
    spec('x', 'FP32', [-1, -1, 2]),
    spec('a', 'INT64', [-1]),
    spec('b', 'INT64', [2]),
    spec('c', 'UINT8', []),
    spec('text', 'BYTES', [-1]),
    spec('scale', 'FP32', [1], true),
  ],
  outputs: [],
};

const SMALLEST = -(2n ** 63n);

describe('madeUpInputs', () => {
  it.each<[MadeUpKind, MadeUpOptions, Record<string, Tensor['data']>]>([
    [
      'ones',
      { rows: 2, others: 1 },
      {
        x: Float32Array.of(1, 1, 1, 1),
        a: BigInt64Array.of(1n, 1n),
        b: BigInt64Array.of(1n, 1n),
        c: Uint8Array.of(1),
        text: ['1', '1'],
      },
    ],
    [
      'zeros',
      { rows: 1 },
      {
        x: new Float32Array(2),
        a: new BigInt64Array(1),
        b: new BigInt64Array(2),
        c: new Uint8Array(1),
        text: [''],
      },
    ],
    [
      'smallest-first',
      { rows: 1 },
      {
        x: Float32Array.of(1, 1),
        a: BigInt64Array.of(SMALLEST),
        b: BigInt64Array.of(-1n, SMALLEST),
        c: Uint8Array.of(0),
        text: ['1'],
      },
    ],
    [
      'smallest-second',
      { rows: 1 },
      {
        x: Float32Array.of(1, 1),
        a: BigInt64Array.of(-1n),
        b: BigInt64Array.of(SMALLEST, -1n),
        c: Uint8Array.of(255),
        text: ['1'],
      },
    ],
    [
      'sizes',
      { rows: 1, size: 1000 },
      {
        x: Float32Array.of(1, 1),
        a: BigInt64Array.of(1000n),
        b: BigInt64Array.of(1000n, 1000n),
        c: Uint8Array.of(255),
        text: ['1'],
      },
    ],
    [
      'size-then-ones',
      { rows: 2, size: 1000 },
      {
        x: new Float32Array(8).fill(1),
        a: BigInt64Array.of(1000n, 1n),
        b: BigInt64Array.of(1000n, 1n),
        c: Uint8Array.of(255),
        text: ['1', '1'],
      },
    ],
  ])('%s %o', (kind, options, expected) => {
    const inputs = madeUpInputs(signature, kind, options);
    expect(() => checkInputs(signature, inputs)).not.toThrow();
    expect(Object.fromEntries([...inputs].map(([name, tensor]) => [name, tensor.data]))).toEqual(expected);
  });
});

it('tells what the kinds change', () => {
  expect([hasIntegers(signature), hasFreeDimension(signature)]).toEqual([true, true]);
  const fixed: Signature = { inputs: [spec('x', 'FP32', [4]), spec('n', 'INT64', [-1], true)], outputs: [] };
  expect([hasIntegers(fixed), hasFreeDimension(fixed)]).toEqual([false, false]);
});
