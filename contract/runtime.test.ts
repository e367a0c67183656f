import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { InferenceSession } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { encodeModel } from './onnx/encode.ts';
import { RUNTIME } from './runtime.ts';

/** What the runtime says to a model of these versions; undefined where it loads. */
async function tryLoad(irVersion: number, opsets: Record<string, number>): Promise<string | undefined> {
  const bytes = encodeModel({
    irVersion,
    opsets,
    inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N'] }],
    nodes: [{ type: 'Relu', inputs: ['x'], outputs: ['y'] }],
  });
  try {
    await (await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 })).release();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

it('is the runtime that is installed', () => {
  const path = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  expect(JSON.parse(readFileSync(path, 'utf8')).version).toBe(RUNTIME.version);
});

it('takes IR versions up to the ceiling and none above', async () => {
  expect(await tryLoad(RUNTIME.maxIrVersion, { '': 15 })).toBeUndefined();
  expect(await tryLoad(RUNTIME.maxIrVersion + 1, { '': 15 })).toContain('max supported IR version');
});

it.each([...RUNTIME.opsets])('takes opsets of domain %j up to %i and none above', async (domain, newest) => {
  expect(await tryLoad(8, { '': 15, [domain]: newest })).toBeUndefined();
  expect(await tryLoad(8, { '': 15, [domain]: newest + 1 })).toContain('under development');
});

it.each(['com.example', 'ai.onnx.contrib', 'com.microsoft.dml'])(
  'knows no ceiling of %s, so it is not built in',
  async (domain) => {
    expect(RUNTIME.opsets.has(domain)).toBe(false);
    expect(await tryLoad(8, { '': 15, [domain]: 1000 })).toBeUndefined();
  },
);
