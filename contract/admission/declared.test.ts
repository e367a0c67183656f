import { describe, expect, it } from 'vitest';
import { admit, type Candidate } from '../admission.ts';
import { linearModel } from '../onnx/testing/models.ts';
import { published, refused } from './testing/candidates.ts';

describe('what the manifest declares', () => {
  const { signature } = published().manifest;
  const [input] = signature.inputs;
  const [output] = signature.outputs;
  const declared = (change: object): Candidate => published(linearModel(), change);

  it.each<[string, object, RegExp]>([
    [
      'another datatype',
      { signature: { ...signature, inputs: [{ ...input!, datatype: 'FP64' }] } },
      /input 'x' as FP64\[-1,2\], and the graph has it as FP32\[-1,2\]/,
    ],
    [
      'another shape',
      { signature: { ...signature, inputs: [{ ...input!, shape: [-1, -1] }] } },
      /as FP32\[-1,-1\], and the graph has it as FP32\[-1,2\]/,
    ],
    ['a default', { signature: { ...signature, inputs: [{ ...input!, optional: true }] } }, /with a default/],
    [
      'another rank of an output',
      { signature: { ...signature, outputs: [{ ...output!, shape: [-1] }] } },
      /output 'y' as FP32\[-1\]/,
    ],
    [
      'no output',
      { signature: { ...signature, outputs: [] } },
      /graph has the output 'y', which the manifest does not declare/,
    ],
    [
      'an output left out',
      { signature: { ...signature, omittedOutputs: [{ name: 'z', type: 'seq(tensor(float))' }] } },
      /declares 'z' seq\(tensor\(float\)\), the graph has none/,
    ],
    [
      'another IR version',
      { onnx: { irVersion: 7, opsets: { '': 15 } } },
      /declares IR version 7, opsets ai\.onnx 15, the graph has IR version 8/,
    ],
    ['another opset', { onnx: { irVersion: 8, opsets: { '': 14 } } }, /opsets ai\.onnx 14, the graph/],
  ])('%s', (_, change, sentence) => refused(declared(change), {}, 'signature-mismatch', sentence));

  it('another name, once for each side of it', () =>
    expect(
      admit(declared({ signature: { ...signature, inputs: [{ ...input!, name: 'X' }] } })).map(
        ({ message }) => message,
      ),
    ).toEqual([
      expect.stringMatching(/declares the input 'X'.*no such input/),
      expect.stringMatching(/graph has the input 'x'/),
    ]));

  it('may know better which dimensions of outputs are free, and may spell the default domain', () =>
    expect(
      admit(
        declared({
          signature: { ...signature, outputs: [{ ...output!, shape: [-1, -1] }] },
          onnx: { irVersion: 8, opsets: { 'ai.onnx': 15 } },
        }),
      ),
    ).toEqual([]));

  const sample = {
    inputs: { x: { datatype: 'FP32' as const, shape: [1, 2], data: [1, 2] } },
    outputs: { y: { datatype: 'FP32' as const, shape: [1, 1], data: [9] } },
    tolerance: { abs: 0, rel: 0 },
  };
  const tensor = sample.inputs.x;

  it('takes samples that fit', () => expect(admit(published(linearModel(), { samples: [sample] }))).toEqual([]));

  it.each<[string, object, RegExp]>([
    ['without an input', { inputs: {} }, /Sample 0 of the manifest lacks the input 'x'/],
    ['with another input', { inputs: { x: tensor, z: tensor } }, /has the input 'z', which the signature has not/],
    ['of another datatype', { inputs: { x: { ...tensor, datatype: 'FP64' } } }, /'x' as FP64 instead of FP32/],
    [
      'of another shape',
      { inputs: { x: { ...tensor, shape: [2, 1] } } },
      /of shape \[2,1\], the signature says \[-1,2\]/,
    ],
    [
      'with too few elements',
      { inputs: { x: { ...tensor, data: [1] } } },
      /has 1 elements for the input 'x' of shape \[1,2\]/,
    ],
    ['without outputs', { outputs: {} }, /names no outputs/],
  ])('refuses samples %s', (_, change, sentence) =>
    refused(published(linearModel(), { samples: [{ ...sample, ...change }] }), {}, 'manifest-invalid', sentence),
  );
});
