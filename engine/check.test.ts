import { describe, expect, it } from 'vitest';
import type { Datatype, Signature } from '../contract/signature.ts';
import type { Tensor, TensorData, Tensors } from '../contract/tensor.ts';
import { checkInputs, checkOutputs } from './check.ts';

const signature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 3] },
    { name: 'k', datatype: 'INT64', shape: [] },
    { name: 'label', datatype: 'BYTES', shape: [-1], optional: true },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [-1] },
    { name: 'z', datatype: 'FP32', shape: [-1] },
  ],
  omittedOutputs: [{ name: 'map', type: 'seq(map(int64,tensor(float)))' }],
};

const tensor = (datatype: Datatype, shape: number[], data: TensorData): Tensor => ({ datatype, shape, data });
const x = tensor('FP32', [2, 3], new Float32Array(6));
const k = tensor('INT64', [], new BigInt64Array(1));

function inputs(changes: Record<string, Tensor | undefined>): Tensors {
  const all = Object.entries({ x, k, ...changes });
  return new Map(all.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

describe('checkInputs lets through', () => {
  it.each<[string, Record<string, Tensor>]>([
    ['what fits', {}],
    ['an optional input', { label: tensor('BYTES', [2], ['', 'a\u0000b 😀']) }],
    ['no rows', { x: tensor('FP32', [0, 3], new Float32Array(0)) }],
  ])('%s', (_title, changes) => expect(() => checkInputs(signature, inputs(changes))).not.toThrow());
});

describe('checkInputs refuses', () => {
  it.each<[string, Record<string, Tensor | undefined>, string]>([
    ['a missing input', { x: undefined }, "Input 'x' is missing: expected FP32[-1,3]."],
    ['an unknown input', { q: x }, "Input 'q' is unknown: the model takes 'x', 'k', 'label'."],
    [
      'another datatype',
      { x: tensor('FP64', [2, 3], new Float64Array(6)) },
      "Input 'x' has datatype FP64, expected FP32.",
    ],
    [
      'another rank',
      { x: tensor('FP32', [6], new Float32Array(6)) },
      "Input 'x' has rank 1 (shape [6]), expected rank 2 (shape [-1,3]).",
    ],
    [
      'a row for a scalar',
      { k: tensor('INT64', [1], new BigInt64Array(1)) },
      "Input 'k' has rank 1 (shape [1]), expected rank 0 (shape []).",
    ],
    [
      'another fixed dimension',
      { x: tensor('FP32', [3, 2], new Float32Array(6)) },
      "Input 'x' has shape [3,2], expected [-1,3].",
    ],
    [
      'too few elements',
      { x: tensor('FP32', [2, 3], new Float32Array(5)) },
      "Input 'x' has 5 elements, expected 6 for shape [2,3].",
    ],
    [
      'elements without rows',
      { x: tensor('FP32', [0, 3], new Float32Array(3)) },
      "Input 'x' has 3 elements, expected 0 for shape [0,3].",
    ],
    [
      'a product beyond numbers',
      { label: tensor('BYTES', [9007199254740991], []) },
      "Input 'label' has 0 elements, expected 9007199254740991 for shape [9007199254740991].",
    ],
    [
      'a negative dimension',
      { x: tensor('FP32', [-1, 3], new Float32Array(0)) },
      "Input 'x' has shape [-1,3], expected whole numbers from 0 for [-1,3].",
    ],
    ['another array', { x: tensor('FP32', [2, 3], new Float64Array(6)) }, "Input 'x' does not hold elements of FP32."],
    [
      'half a surrogate pair',
      { label: tensor('BYTES', [2], ['a', '\ud800']) },
      "Input 'label' has half a surrogate pair in element 1, expected text that UTF-8 can write.",
    ],
    [
      'what is no string',
      { label: tensor('BYTES', [1], [7] as unknown as string[]) },
      "Input 'label' has number as element 0, expected a string.",
    ],
    [
      'everything at once',
      { x: undefined, k: undefined },
      "Input 'x' is missing: expected FP32[-1,3]. Input 'k' is missing: expected INT64[].",
    ],
  ])('%s', (_title, changes, message) =>
    expect(() => checkInputs(signature, inputs(changes))).toThrow(
      expect.objectContaining({ code: 'request-invalid', message }),
    ),
  );

  it('a thousand unknown inputs in a short message', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`n${index}`, x]));
    expect(() => checkInputs(signature, inputs(many))).toThrow(/'n7' is unknown.* And 992 more\.$/);
  });
});

describe('checkOutputs', () => {
  it.each<[string[] | undefined, string[]]>([
    [undefined, ['y', 'z']],
    [[], ['y', 'z']],
    [
      ['z', 'y'],
      ['z', 'y'],
    ],
    [['z', 'z'], ['z']],
  ])('%j gives %j', (wanted, names) => expect(checkOutputs(signature, wanted)).toEqual(names));

  it.each([
    ['q', "Output 'q' is unknown: the model gives 'y', 'z'."],
    ['map', "Output 'map' is seq(map(int64,tensor(float))), which cannot be served: ask for 'y', 'z'."],
  ])('refuses %s', (name, message) =>
    expect(() => checkOutputs(signature, ['y', name])).toThrow(
      expect.objectContaining({ code: 'request-invalid', message }),
    ),
  );
});
