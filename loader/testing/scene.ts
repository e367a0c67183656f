import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Details, Sample, SampleTensor } from '../../contract/manifest.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { openStore } from '../../registry/open-store.ts';
import { publish } from '../../registry/publish.ts';
import { createScratch, type Scratch, writeTree } from './scratch.ts';
import { configOf, inconsistencies, type Stand, startLoader } from './stand.ts';

/** A bucket in a folder and a volume of one test, with the loaders that it starts over them. */
export interface Scene {
  scratch: Scratch;
  bucket: string;
  volume: string;
  store: ObjectStore;
  /** As whoever writes the bucket needs them. */
  write: { clock: Clock; random: () => number };
  /** As a person copies a file in. */
  drop(key: string, content: Uint8Array | string): void;
  /** As `kedge publish` does. @returns the version */
  publish(model: string, bytes: Uint8Array, details?: Details): Promise<number>;
  start(env?: Record<string, string>): Promise<Stand>;
  /** Ends its loaders, and finds the volume consistent. */
  close(): Promise<void>;
}

function createScene(): Scene {
  const scratch = createScratch();
  const bucket = scratch.folder('bucket');
  const volume = scratch.folder('volume');
  const store = openStore(`file://${bucket}`);
  const write = { clock: systemClock, random: Math.random };
  const stands: Stand[] = [];
  let sources = 0;
  return {
    ...{ scratch, bucket, volume, store, write },
    drop: (key, content) => writeTree(bucket, { [key]: content }),
    async publish(model, bytes, details = {}) {
      const source = join(scratch.folder('sources'), `${++sources}.onnx`);
      writeFileSync(source, bytes);
      return (await publish({ ...write, store, model, source, details })).version;
    },
    async start(env = {}) {
      const stand = await startLoader(store, configOf(volume, env));
      stands.push(stand);
      return stand;
    },
    async close() {
      await Promise.all(stands.map((stand) => stand.stop()));
      mkdirSync(bucket, { recursive: true });
      const problems = await inconsistencies(volume);
      scratch.remove();
      expect(problems).toEqual([]);
    },
  };
}

/** A test with a scene of its own, so that many can run side by side. */
export const test = it.extend<{ scene: Scene }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads what a fixture needs from its pattern
  scene: async ({}, use) => {
    const scene = createScene();
    await use(scene);
    await scene.close();
  },
});

const tensor = (shape: number[], data: number[]): SampleTensor => ({ datatype: 'FP32', shape, data });

/** Of a model of three inputs: what comes out for 1, 2, 3. */
export const sampleOf = (answer: number): Sample => ({
  inputs: { x: tensor([1, 3], [1, 2, 3]) },
  outputs: { y: tensor([1, 1], [answer]) },
  tolerance: { abs: 0.1, rel: 0 },
});

/** The codes for which a version is not served, once it is settled. */
export async function codesOf(stand: Stand, model: string, version: number): Promise<string[]> {
  const entry = await stand.until(model, version, (each) => each?.state === 'refused' || each?.state === 'failed');
  return 'reasons' in entry ? entry.reasons.map(({ code }) => code) : [];
}

/** The value of a metric without labels. */
export async function metricOf(stand: Stand, name: string): Promise<number> {
  const line = (await stand.get('/metrics')).text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}
