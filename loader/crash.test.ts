import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../platform/log.ts';
import { openStore } from '../registry/open-store.ts';
import { runLoader } from './main.ts';
import { linearModel, manifestFor } from './testing/models.ts';
import { createScratch, writeTree } from './testing/scratch.ts';
import { configOf, folders, inconsistencies } from './testing/stand.ts';
import { readCatalog, STEPS, type Step } from './volume.ts';

const PROGRAM = fileURLToPath(new URL('./testing/crash-loader.ts', import.meta.url));
const scratch = createScratch();
afterAll(() => scratch.remove());

/** Runs the program until it kills itself. @returns the signal that ended it, and what it wrote */
async function runToCrash(bucket: string, volume: string, step: Step) {
  const child = spawn(process.execPath, [PROGRAM, `file://${bucket}`, volume, step], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), 60_000);
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { signal, text };
}

const runOnce = (bucket: string, volume: string): Promise<void> =>
  runLoader(
    configOf(volume, { KEDGE_KEEP: '1', KEDGE_KEEP_SECONDS: '0' }),
    { once: true, signal: new AbortController().signal },
    { store: openStore(`file://${bucket}`), log: silentLog },
  );

/** The volume with version 1, as it is before each crash; version 2 is in the bucket by then. */
const bucket = scratch.folder('bucket');
const before = scratch.folder('volume');
beforeAll(async () => {
  const newer = linearModel({ weight: 2 });
  writeTree(bucket, { 'demand/1/model.onnx': linearModel() });
  await runOnce(bucket, before);
  writeTree(bucket, {
    'demand/2/model.onnx': newer,
    'demand/2/manifest.json': manifestFor(newer, 'demand', 2),
  });
});

describe.concurrent('killed with SIGKILL', () => {
  it.each(STEPS)(
    'at %s: what is left is consistent, and the next start completes it',
    async (step) => {
      const volume = join(scratch.dir, `volume-${step}`);
      cpSync(before, volume, { recursive: true });
      const { signal, text } = await runToCrash(bucket, volume, step);
      expect(signal, text).toBe('SIGKILL');
      expect(await inconsistencies(volume)).toEqual([]);
      const read = await readCatalog(volume);
      const served = read.status === 'ok' ? read.catalog.models.find(({ name }) => name === 'demand') : undefined;
      expect(served?.versions.some(({ state }) => state === 'available')).toBe(true);

      await runOnce(bucket, volume);
      expect(await inconsistencies(volume)).toEqual([]);
      expect(folders(volume)).toEqual({ versions: ['demand/2'], staging: [] });
      expect(await readCatalog(volume)).toMatchObject({
        status: 'ok',
        catalog: {
          models: [{ name: 'demand', versions: [{ version: 2, state: 'available' }] }],
        },
      });
    },
    120_000,
  );

  it('on an empty volume, before anything is vouched for', async () => {
    const volume = scratch.folder('volume-empty');
    const { signal } = await runToCrash(bucket, volume, 'in-place');
    expect(signal).toBe('SIGKILL');
    expect(await readCatalog(volume)).toEqual({ status: 'missing' });
    expect(folders(volume).versions).toHaveLength(1);
    await runOnce(bucket, volume);
    expect(await inconsistencies(volume)).toEqual([]);
    expect(folders(volume)).toEqual({ versions: ['demand/2'], staging: [] });
  }, 120_000);
});
