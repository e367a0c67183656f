import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MODEL_FILE } from '../../contract/layout.ts';
import { signatureOf } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import type { Datatype } from '../../contract/signature.ts';
import type { Tensor, Tensors } from '../../contract/tensor.ts';
import type { SharedModels, SharedTensor } from '../../tests/shared.ts';
import type { LoadRequest } from '../engine.ts';
import { tensorOfSample } from '../samples.ts';

/** A version in a folder of its own, which goes when the test ends. `files` lie beside model.onnx. */
export async function versionOf(model: Uint8Array, files: Record<string, Uint8Array> = {}): Promise<LoadRequest> {
  const dir = await mkdtemp(join(tmpdir(), 'kedge-engine-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [path, bytes] of Object.entries({ [MODEL_FILE]: model, ...files }))
    await writeFile(join(dir, path), bytes);
  return versionIn(dir, 'made/1');
}

/** The version that lies in a folder, its signature read from the graph. */
async function versionIn(dir: string, name: string): Promise<LoadRequest> {
  const paths = (await readdir(dir)).sort();
  const files = await Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(join(dir, path));
      return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
  const read = readHeadOfBytes(await readFile(join(dir, MODEL_FILE)));
  if (!read.ok) throw new Error(read.refusals.map(({ message }) => message).join(' '));
  return { name, dir, files, signature: signatureOf(read.head) };
}

/** A shared model as a version. */
export function sharedVersion(shared: SharedModels, model: { name: string; dir: string }): Promise<LoadRequest> {
  return versionIn(join(shared.dir, model.dir), `${model.name}/1`);
}

/** Tensors of a shared request or answer; its data may be nested. */
export function sharedTensors(tensors: readonly SharedTensor[]): Tensors {
  return new Map(
    tensors.map(({ name, datatype, shape, data }) => [
      name,
      tensorOfSample({ datatype, shape, data: data.flat(Infinity) as number[] }),
    ]),
  );
}

export function tensor(
  datatype: Datatype,
  shape: number[],
  data: readonly (number | bigint | boolean | string)[],
): Tensor {
  return tensorOfSample({ datatype, shape, data: [...data] });
}

/** The elements of an output. */
export function elements(outputs: Tensors, name: string): unknown[] {
  const found = outputs.get(name);
  if (!found) throw new Error(`there is no output ${name}`);
  return Array.from(found.data as ArrayLike<unknown>);
}
