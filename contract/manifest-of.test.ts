import { expect, it } from 'vitest';
import { parseManifest } from './admission/manifest.ts';
import { parseJson } from './json.ts';
import { digestOf, type Manifest } from './manifest.ts';
import { manifestOf, serializeManifest, signatureOf } from './manifest-of.ts';
import type { OnnxHead } from './onnx/graph.ts';
import { readHeadOfBytes } from './onnx/head.ts';
import { defaultedInput, linearModel, nodesModel, zipMapModel } from './onnx/testing/models.ts';

function headOf(bytes: Uint8Array): OnnxHead {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error(result.refusals[0]!.message);
  return result.head;
}

const sha256 = 'a'.repeat(64);
const parts = {
  model: 'demand',
  version: 8,
  createdAt: '2026-11-23T02:40:00Z',
  files: [
    { path: 'weights.bin', bytes: 12, sha256 },
    { path: 'model.onnx', bytes: 200, sha256 },
  ],
};

it('derives the signature: symbols are free, defaults make inputs optional', () => {
  expect(signatureOf(headOf(linearModel()))).toEqual({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  });
  expect(signatureOf(headOf(defaultedInput())).inputs[1]).toEqual({
    name: 'scale',
    datatype: 'FP32',
    shape: [1],
    optional: true,
  });
  expect(signatureOf(headOf(zipMapModel()))).toMatchObject({
    outputs: [{ name: 'same' }],
    omittedOutputs: [{ name: 'maps', type: 'seq(map(int64,tensor(float)))' }],
  });
});

it('infers the shape of an output that declares none, as far as the graph tells', () => {
  const outputs = [
    { name: 'y', type: 'float' as const },
    { name: 'z', type: 'float' as const },
  ];
  const head = headOf(
    nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N', 3] }],
      outputs,
      nodes: [
        { type: 'ReduceSum', inputs: ['x'], outputs: ['y'], attributes: { keepdims: { int: 0 } } },
        { type: 'Strange', domain: 'd', inputs: ['x'], outputs: ['z'] },
      ],
    }),
  );
  expect(signatureOf(head).outputs.map(({ shape }) => shape)).toEqual([[], [-1]]);
});

it('leaves out what cannot be served', () => {
  const head = headOf(
    nodesModel({
      inputs: [
        { name: 'a', type: 'seq(tensor(float))' },
        { name: 'b', type: 'bfloat16', dims: [1] },
        { name: 'c', type: 'float' },
        { name: 'd', type: 'int8', dims: [] },
      ],
      outputs: [],
      nodes: [],
    }),
  );
  expect(signatureOf(head).inputs).toEqual([{ name: 'd', datatype: 'INT8', shape: [] }]);
});

it('puts what is derived over what is said, and keeps the rest', () => {
  const details = { requires: { server: '>=1' }, version: 99, note: 'kept' };
  const manifest = manifestOf({ ...parts, head: headOf(linearModel({ irVersion: 9, opsets: { '': 17 } })), details });
  expect(manifest).toMatchObject({
    schemaVersion: 1,
    model: 'demand',
    version: 8,
    onnx: { irVersion: 9, opsets: { '': 17 } },
    requires: { server: '>=1' },
    note: 'kept',
  });
  expect(manifest.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights.bin']);
});

it('writes the same bytes for the same version, and reads them back', () => {
  const head = headOf(linearModel());
  const text = serializeManifest(manifestOf({ ...parts, head }));
  expect(
    serializeManifest(manifestOf({ ...parts, files: [...parts.files].reverse(), head: headOf(linearModel()) })),
  ).toBe(text);
  expect(text).toMatch(/^\{\n {2}"schemaVersion": 1,\n {2}"model": "demand",[\s\S]*\n\}\n$/);
  expect(parseManifest(text)).toEqual({ ok: true, manifest: manifestOf({ ...parts, head }) });
  // Loaders of other releases derive the same digest for a bare drop, or they disagree about which version answers.
  expect(digestOf(text)).toBe('sha256:172ac46d7e7e1a8c200faba79374f6930883dbb70c5c3f695bda6c804c29fdfc');
});

it('keeps 64-bit integers and what is not finite in samples', () => {
  const data = [9007199254740993n, -9223372036854775808n, Number.NaN, Number.NEGATIVE_INFINITY, 0.1, 'NaN'];
  const samples = [
    { inputs: { x: { datatype: 'FP64' as const, shape: [6], data } }, outputs: {}, tolerance: { abs: 0, rel: 0 } },
  ];
  const manifest: Manifest = manifestOf({ ...parts, head: headOf(linearModel()), details: { samples } });
  const text = serializeManifest(manifest);
  expect(parseManifest(text)).toEqual({ ok: true, manifest });
  expect((parseJson(text) as Manifest).samples).toEqual(samples);
});
