import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '../signature.ts';
import { compareSignatures } from './signature.ts';

const spec = (
  name: string,
  shape: number[] = [-1, 12],
  datatype: TensorSpec['datatype'] = 'FP32',
  optional = false,
): TensorSpec => ({
  name,
  datatype,
  shape,
  ...(optional ? { optional } : {}),
});
const contract: Signature = { inputs: [spec('a'), spec('b', [-1], 'INT64')], outputs: [spec('y', [-1, 1])] };
const [a, b] = contract.inputs as [TensorSpec, TensorSpec];

function differences(inputs: TensorSpec[], outputs = contract.outputs, base = contract): string[] {
  return compareSignatures(base, { inputs, outputs }, { model: 'demand', version: 3, contractVersion: 1 }).map(
    ({ code, message }) => {
      expect(code).toBe('signature-contract');
      expect(message).toMatch(/Publish it under a new model name, or .* `kedge pin demand 3`\.$/);
      return message.replace(/\. Publish it.*/, '');
    },
  );
}

describe('breaks nobody', () => {
  it.each<[string, TensorSpec[], TensorSpec[]?]>([
    ['the same', [a, b]],
    ['another order', [b, a]],
    ['a fixed dimension that became free', [spec('a', [-1, -1]), b]],
    ['a new optional input', [a, b, spec('c', [1], 'FP32', true)]],
    ['an input that became optional', [{ ...a, optional: true }, b]],
    ['a new output', [a, b], [spec('y', [-1, 1]), spec('z')]],
    ['an output whose dimension is free now', [a, b], [spec('y', [-1, -1])]],
    ['an output whose dimension is fixed now', [a, b], [spec('y', [4, 1])]],
  ])('%s', (_, inputs, outputs) => expect(differences(inputs, outputs)).toEqual([]));
});

describe('breaks clients', () => {
  it.each<[string, TensorSpec[], TensorSpec[] | undefined, string[]]>([
    ['an input that is gone', [b], undefined, ["The input 'a' FP32[-1,12] of version 1 is gone"]],
    [
      'a renamed input',
      [spec('A'), b],
      undefined,
      [
        "The input 'a' FP32[-1,12] of version 1 is gone; 'A' FP32[-1,12] has the same datatype and shape, so it may have been renamed",
      ],
    ],
    [
      'two renamed inputs',
      [spec('A'), spec('B', [-1], 'INT64')],
      undefined,
      [
        "The input 'a' FP32[-1,12] of version 1 is gone; 'A' FP32[-1,12] has the same datatype and shape, so it may have been renamed",
        "The input 'b' INT64[-1] of version 1 is gone; 'B' INT64[-1] has the same datatype and shape, so it may have been renamed",
      ],
    ],
    [
      'an input that gave way to another',
      [spec('A', [-1, 3]), b],
      undefined,
      [
        "The input 'a' FP32[-1,12] of version 1 is gone",
        "The input 'A' FP32[-1,3] is new and required, so requests that fit the inputs of version 1 would fail",
      ],
    ],
    [
      'another datatype',
      [spec('a', [-1, 12], 'FP64'), b],
      undefined,
      ["The input 'a' has the datatype FP64; of version 1 it is FP32"],
    ],
    [
      'another width',
      [spec('a', [-1, 13]), b],
      undefined,
      ["The input 'a' has the shape [-1,13]; of version 1 it is [-1,12]"],
    ],
    [
      'another rank',
      [spec('a', [-1, 12, 1]), b],
      undefined,
      ["The input 'a' has the shape [-1,12,1]; of version 1 it is [-1,12]"],
    ],
    [
      'a free dimension that became fixed',
      [spec('a', [4, 12]), b],
      undefined,
      ["The input 'a' has the shape [4,12]; of version 1 it is [-1,12]"],
    ],
    [
      'a new required input',
      [a, b, spec('c', [1])],
      undefined,
      ["The input 'c' FP32[1] is new and required, so requests that fit the inputs of version 1 would fail"],
    ],
    ['an output that is gone', [a, b], [], ["The output 'y' FP32[-1,1] of version 1 is gone"]],
    [
      'a renamed output',
      [a, b],
      [spec('z', [-1, 1])],
      [
        "The output 'y' FP32[-1,1] of version 1 is gone; 'z' FP32[-1,1] has the same datatype and shape, so it may have been renamed",
      ],
    ],
    [
      'another datatype of an output',
      [a, b],
      [spec('y', [-1, 1], 'INT64')],
      ["The output 'y' has the datatype INT64; of version 1 it is FP32"],
    ],
    [
      'another fixed dimension of an output',
      [a, b],
      [spec('y', [-1, 2])],
      ["The output 'y' has the shape [-1,2]; of version 1 it is [-1,1]"],
    ],
    [
      'another rank of an output',
      [a, b],
      [spec('y', [-1])],
      ["The output 'y' has the shape [-1]; of version 1 it is [-1,1]"],
    ],
  ])('%s', (_, inputs, outputs, expected) =>
    expect(differences(inputs, outputs ?? contract.outputs)).toEqual(expected),
  );

  it('an optional input that became required', () => {
    const base = { ...contract, inputs: [a, { ...b, optional: true }] };
    expect(differences([a, b], contract.outputs, base)).toEqual([
      "The input 'b' is required now; of version 1 it may be left out",
    ]);
  });
});

it('says what was expected and what was found', () =>
  expect(compareSignatures(contract, { inputs: [spec('a', [-1, 13]), b], outputs: contract.outputs })).toEqual([
    {
      code: 'signature-contract',
      message: expect.stringContaining('of the contract'),
      expected: 'a FP32[-1,12]',
      found: 'a FP32[-1,13]',
    },
  ]));
