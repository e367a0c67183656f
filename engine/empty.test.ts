import { describe, expect, it } from 'vitest';
import type { Signature } from '../contract/signature.ts';
import { elementCount, newData, type Tensors } from '../contract/tensor.ts';
import { answerEmpty, type GraphValue } from './empty.ts';

type Shape = readonly (number | string)[];

interface Case {
  inputs: Record<string, Shape>;
  outputs: Record<string, Shape>;
  given: Record<string, number[]>;
  rowOutputs?: string[];
  wanted?: string[];
}

function answer({ inputs, outputs, given, rowOutputs, wanted = Object.keys(outputs) }: Case) {
  const values = (shapes: Record<string, Shape>): GraphValue[] =>
    Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
  const specs = (shapes: Record<string, Shape>): Signature['inputs'] =>
    Object.entries(shapes).map(([name, shape]) => ({
      name,
      datatype: 'INT64',
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
    }));
  const tensors: Tensors = new Map(
    Object.entries(given).map(([name, shape]) => [
      name,
      { datatype: 'INT64', shape, data: newData('INT64', elementCount(shape)) },
    ]),
  );
  const result = answerEmpty(tensors, wanted, {
    signature: { inputs: specs(inputs), outputs: specs(outputs) },
    shapes: { inputs: values(inputs), outputs: values(outputs) },
    rowOutputs,
  });
  return result && [...result].map(([name, tensor]) => [name, tensor.shape, tensor.data]);
}

const none = new BigInt64Array(0);

describe('answerEmpty', () => {
  it('leaves inputs without a zero to the runtime', () =>
    expect(answer({ inputs: { x: ['', 3] }, outputs: { y: [''] }, given: { x: [1, 3] } })).toBeUndefined());

  it.each<[string, Case, unknown]>([
    [
      'rows by name',
      { inputs: { x: ['n', 3] }, outputs: { y: ['n', 2] }, given: { x: [0, 3] } },
      [['y', [0, 2], none]],
    ],
    [
      'rows without a name',
      { inputs: { a: ['', 1], b: ['', 1] }, outputs: { y: ['', 4] }, given: { a: [0, 1], b: [0, 1] } },
      [['y', [0, 4], none]],
    ],
    [
      'rows under another name in the output',
      { inputs: { x: ['n', 3] }, outputs: { y: ['unk__0'] }, given: { x: [0, 3] } },
      [['y', [0], none]],
    ],
    [
      'an output declared fixed that was seen to follow the rows',
      { inputs: { x: ['', 3] }, outputs: { y: [1] }, given: { x: [0, 3] }, rowOutputs: ['y'] },
      [['y', [0], none]],
    ],
    [
      'a scalar beside the rows',
      { inputs: { x: [''], k: [] }, outputs: { y: [''] }, given: { x: [0], k: [] } },
      [['y', [0], none]],
    ],
    [
      'an optional input left out',
      { inputs: { x: ['n', 3], scale: ['m'] }, outputs: { y: ['n', 3] }, given: { x: [0, 3] } },
      [['y', [0, 3], none]],
    ],
    [
      'no steps, by name',
      { inputs: { x: ['n', 't', 2] }, outputs: { y: ['n', 't', 1] }, given: { x: [3, 0, 2] } },
      [['y', [3, 0, 1], none]],
    ],
    [
      'only the wanted outputs',
      {
        inputs: { x: ['n', 't'] },
        outputs: { y: ['n', 't'], state: ['n', 4] },
        given: { x: [1, 0] },
        wanted: ['y'],
      },
      [['y', [1, 0], none]],
    ],
  ])('gives %s', (_title, entry, expected) => expect(answer(entry)).toEqual(expected));

  it.each<[string, Case, RegExp]>([
    [
      'a scalar made of nothing',
      { inputs: { x: ['n'] }, outputs: { mean: [] }, given: { x: [0] } },
      /Input 'x' has shape \[0\], but output 'mean' would be \[\] and not empty: send at least one element/,
    ],
    [
      'values made of nothing',
      { inputs: { a: ['n', 'd'] }, outputs: { y: ['n'] }, given: { a: [6, 0] } },
      /output 'y' would be \[6\] and not empty/,
    ],
    [
      'a state after no steps',
      { inputs: { x: ['n', 't'] }, outputs: { y: ['n', 't'], state: ['n', 4] }, given: { x: [1, 0] } },
      /output 'state' would be \[1,4\] and not empty/,
    ],
    [
      'an unknown size behind the rows',
      { inputs: { x: ['n'] }, outputs: { y: ['n', 'unk__1'] }, given: { x: [0] } },
      /output 'y' would be \[0,\?\], whose size does not follow/,
    ],
    [
      'a fixed size without rows',
      { inputs: { x: ['n'] }, outputs: { y: [5] }, given: { x: [0] } },
      /output 'y' would be \[5\] and not empty/,
    ],
    [
      'rows in one of two inputs',
      { inputs: { a: ['', 1], b: ['', 1] }, outputs: { y: [''] }, given: { a: [0, 1], b: [2, 1] } },
      /output 'y' would be \[\?\], whose size does not follow/,
    ],
    [
      'a free size that was seen not to follow the rows',
      { inputs: { x: [''] }, outputs: { y: [''], z: [''] }, given: { x: [0] }, rowOutputs: ['y'] },
      /output 'z' would be \[\?\], whose size does not follow/,
    ],
    [
      'sizes that disagree',
      { inputs: { a: ['n'], b: ['n'] }, outputs: { y: ['n'] }, given: { a: [0], b: [1] } },
      /Dimension 'n' is 1 in input 'b' and 0 in another/,
    ],
  ])('refuses %s', (_title, entry, message) =>
    expect(() => answer(entry)).toThrow(
      expect.objectContaining({ code: 'request-invalid', message: expect.stringMatching(message) }),
    ),
  );
});
