import { describe, expect, it } from 'vitest';
import { signatureOf } from '../contract/manifest-of.ts';
import { readHeadOfBytes } from '../contract/onnx/head.ts';
import { defaultedInput, linearModel, nodesModel } from '../contract/onnx/testing/models.ts';
import { takeDefaults } from './defaults.ts';

function read(bytes: Uint8Array) {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error('it is no model');
  return result.head;
}

describe('takeDefaults', () => {
  it('leaves a model without optional inputs as it is', () => {
    const bytes = linearModel();
    expect(takeDefaults(bytes, signatureOf(read(bytes)))).toEqual({
      model: bytes,
      values: new Map(),
      fixed: new Set(),
    });
  });

  it('takes out the default and nothing else', () => {
    const bytes = defaultedInput();
    const before = read(bytes);
    const { model, values, fixed } = takeDefaults(bytes, signatureOf(before));
    expect(values.get('scale')).toEqual({ datatype: 'FP32', shape: [1], data: Float32Array.of(2) });
    expect(fixed.size).toBe(0);
    const after = read(model);
    expect(after.inputs.map(({ name, optional }) => [name, optional])).toEqual([
      ['x', false],
      ['scale', false],
    ]);
    expect(after.graph.initializers.size).toBe(0);
    expect({ ...after, bytes: 0, inputs: [], graph: { ...after.graph, initializers: 0 } }).toEqual({
      ...before,
      bytes: 0,
      inputs: [],
      graph: { ...before.graph, initializers: 0 },
    });
  });

  it.each([
    ['lies in another file', { dims: [1], external: { location: 'd.bin', offset: 0, length: 4 } }],
    ['has another shape than the input', { dims: [2], data: [1, 2] }],
    ['declares more elements than it holds', { dims: [2n ** 40n] }],
  ])('leaves a default that %s', (_title, part) => {
    const bytes = nodesModel({
      inputs: [{ name: 'd', type: 'float', dims: [1] }],
      outputs: [{ name: 'y', type: 'float', dims: [1] }],
      nodes: [{ type: 'Neg', inputs: ['d'], outputs: ['y'] }],
      initializers: [{ name: 'd', type: 'float', ...part }],
    });
    const signature = {
      inputs: [{ name: 'd', datatype: 'FP32' as const, shape: [1], optional: true }],
      outputs: [],
    };
    expect(takeDefaults(bytes, signature)).toEqual({ model: bytes, values: new Map(), fixed: new Set(['d']) });
  });

  it('throws on bytes that are no model', () => {
    const signature = { inputs: [{ name: 'd', datatype: 'FP32' as const, shape: [1], optional: true }], outputs: [] };
    for (const bytes of [
      defaultedInput().subarray(0, 30),
      Buffer.from('<!doctype html>'),
      new Uint8Array(12).fill(255),
    ]) {
      expect(() => takeDefaults(bytes, signature)).toThrow(RangeError);
    }
  });
});
