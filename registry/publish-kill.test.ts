import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { readIndex } from './index-file.ts';
import { inspect } from './inspect.ts';
import { listModels } from './list-models.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { describeStores, externalFiles, type TestBucket, type TestStores } from './testing/stores.ts';

const PROGRAM = fileURLToPath(new URL('../tests/publish-until.ts', import.meta.url));

async function publishUntil(killAt: string, { url, env }: TestBucket, source: string): Promise<string | null> {
  const child = spawn(process.execPath, [PROGRAM, url, source, 'ci', killAt], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal;
}

/** What a loader would take: versions with a manifest, each whole. Throws where one is not. */
async function servable(store: ObjectStore): Promise<number[]> {
  const [model] = await listModels(store);
  const versions = model!.versions.filter(({ kind }) => kind !== 'incomplete');
  for (const { version, kind } of versions) {
    const { refusals } = await inspect(store, 'demand', version, { verify: true });
    expect([version, kind, refusals]).toEqual([version, 'published', []]);
  }
  return versions.map(({ version }) => version).sort((a, b) => a - b);
}

async function indexed(store: ObjectStore): Promise<number[]> {
  return (await readIndex(store))!.models[0]!.versions.map(({ version }) => version);
}

/** Each step before which it is killed, and what is to be seen of the new version then. */
const KILLS: [string, 'nothing' | 'a claim' | 'a manifest' | 'all'][] = [
  ['claim', 'nothing'],
  ['file model.onnx', 'a claim'],
  ['file weights.bin', 'a claim'],
  ['upload', 'a claim'],
  ['manifest', 'a claim'],
  ['index', 'a manifest'],
  ['done', 'all'],
];

describeStores('kill -9 of a publisher', ({ open, files }: TestStores) => {
  it.each(KILLS)('before "%s" leaves %s; the next run completes it', async (killAt, left) => {
    const bucket = await open();
    const { store } = bucket;
    await publish({ store, model: 'demand', source: await files({ 'model.onnx': linearModel() }) });
    const before = (await readIndex(store))!.generation;
    // Large enough to be under way for a while, and in parts, so that "upload" hits it in the midst.
    const source = await files({
      ...externalFiles(),
      ...(killAt === 'upload' && { 'weights.bin': Buffer.alloc(20 * 2 ** 20, 1) }),
    });

    expect(await publishUntil(killAt, bucket, source)).toBe('SIGKILL');

    const [model] = await listModels(store);
    const seen = model!.versions.find(({ version }) => version === 2);
    expect(seen?.kind).toBe(
      { nothing: undefined, 'a claim': 'incomplete', 'a manifest': 'published', all: 'published' }[left],
    );
    expect(await servable(store)).toEqual(left === 'nothing' || left === 'a claim' ? [1] : [1, 2]);
    expect(await indexed(store)).toEqual(left === 'all' ? [1, 2] : [1]);

    const again = await publish({ store, model: 'demand', source, publisher: 'ci' });
    expect(again).toMatchObject({ version: 2, resumed: left !== 'nothing' });
    expect(await servable(store)).toEqual([1, 2]);
    expect(await indexed(store)).toEqual([1, 2]);
    expect((await readIndex(store))!.generation).toBeGreaterThan(before);

    // Another publisher is in no way held up.
    const third = await files({ 'model.onnx': linearModel({ weights: [[5], [5]] }) });
    expect((await publish({ store, model: 'demand', source: third })).version).toBe(3);
  });
});
