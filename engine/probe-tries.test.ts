import { describe, expect, it } from 'vitest';
import type { Signature } from '../contract/signature.ts';
import { newData, type Tensors } from '../contract/tensor.ts';
import { hostileTries, mildTries, rowOutputsOf } from './probe-tries.ts';

const inputs = (...shapes: number[][]): Signature['inputs'] =>
  shapes.map((shape, index) => ({ name: `x${index}`, datatype: 'INT64', shape }));

describe('mildTries', () => {
  it.each<[number[][], string[], number[][]]>([
    [[[4]], ['ones, 1 row', 'zeros, 1 row'], [[4], [4]]],
    [
      [[-1, 3]],
      ['ones, 1 row', 'ones, 2 rows', 'zeros, 1 row', 'zeros, 2 rows'],
      [
        [1, 3],
        [2, 3],
        [1, 3],
        [2, 3],
      ],
    ],
    [
      [[-1, -1]],
      ['ones, 1 row', 'ones, 2 rows', 'ones, 2 rows', 'zeros, 1 row', 'zeros, 2 rows', 'zeros, 2 rows'],
      [
        [1, 1],
        [2, 2],
        [2, 1],
        [1, 1],
        [2, 2],
        [2, 1],
      ],
    ],
  ])('of %j', (shapes, titles, sizes) => {
    const tries = mildTries({ inputs: inputs(...shapes), outputs: [] });
    expect(tries.map(({ title }) => title)).toEqual(titles);
    expect(tries.map((entry) => entry.inputs.get('x0')!.shape)).toEqual(sizes);
  });
});

describe('hostileTries', () => {
  it('are none without integers', () =>
    expect(hostileTries({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }], outputs: [] }, 1000)).toEqual([]));

  it('ask for more memory than is allowed, as bytes and as floats', () => {
    const tries = hostileTries({ inputs: inputs([1]), outputs: [] }, 1000);
    expect(tries.map(({ title, inputs: made }) => [title, (made.get('x0')!.data as BigInt64Array)[0]])).toEqual([
      ['the smallest integer and -1, 1 row', -(2n ** 63n)],
      ['-1 and the smallest integer, 1 row', -1n],
      ['a large integer, 1 row', 313n],
      ['a large integer, 1 row', 1250n],
      ['a large integer and ones, 1 row', 313n],
      ['a large integer and ones, 1 row', 1250n],
    ]);
  });
});

describe('rowOutputsOf', () => {
  const tensors = (shapes: Record<string, number[]>): Tensors =>
    new Map(
      Object.entries(shapes).map(([name, shape]) => [name, { datatype: 'FP32', shape, data: newData('FP32', 0) }]),
    );
  const seen = (outputShape: number[], declared: number[], ...sizes: [rows: number, size: number][]) =>
    rowOutputsOf(
      { inputs: inputs([-1, 3]), outputs: [{ name: 'y', datatype: 'FP32', shape: declared }] },
      sizes.map(([rows, size]) => ({
        inputs: tensors({ x0: [rows, 3] }),
        outputs: tensors({ y: [size, ...outputShape] }),
      })),
    );

  it.each<[string, number[], [number, number][], string[]]>([
    [
      'two numbers of rows',
      [-1],
      [
        [1, 1],
        [2, 2],
      ],
      ['y'],
    ],
    [
      'two numbers of rows against what is declared',
      [1],
      [
        [1, 1],
        [2, 2],
      ],
      ['y'],
    ],
    ['several rows', [-1], [[3, 3]], ['y']],
    ['several rows against what is declared', [1], [[3, 3]], ['y']],
    ['as many rows as are declared', [3], [[3, 3]], []],
    ['one row', [-1], [[1, 1]], []],
    [
      'a size of its own',
      [-1],
      [
        [1, 1],
        [2, 1],
      ],
      [],
    ],
    [
      'once another size',
      [-1],
      [
        [2, 2],
        [3, 3],
        [4, 1],
      ],
      [],
    ],
    ['nothing', [-1], [], []],
  ])('after %s', (_title, declared, sizes, expected) => expect(seen([4], declared, ...sizes)).toEqual(expected));

  it('does not count inputs whose rows disagree', () => {
    const signature: Signature = {
      inputs: inputs([-1], [-1]),
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    };
    const outputs = tensors({ y: [2] });
    expect(rowOutputsOf(signature, [{ inputs: tensors({ x0: [2], x1: [1] }), outputs }])).toEqual([]);
    expect(rowOutputsOf(signature, [{ inputs: tensors({ x0: [2], x1: [2] }), outputs }])).toEqual(['y']);
  });
});
