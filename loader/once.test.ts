import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../platform/log.ts';
import { openStore } from '../registry/open-store.ts';
import { VolumeLock } from './lock.ts';
import { runLoader } from './main.ts';
import { linearModel } from './testing/models.ts';
import { createScratch, writeTree } from './testing/scratch.ts';
import { configOf, folders, inconsistencies } from './testing/stand.ts';
import { readCatalog } from './volume.ts';

const scratch = createScratch();
afterAll(() => scratch.remove());
let count = 0;
let bucket: string;
let volume: string;
beforeEach(() => {
  bucket = scratch.folder(`bucket-${++count}`);
  volume = scratch.folder(`volume-${count}`);
});

const drop = (key: string, content: Uint8Array | string): void => writeTree(bucket, { [key]: content });
const once = async (signal = new AbortController().signal): Promise<void> => {
  const parts = { store: openStore(`file://${bucket}`), log: silentLog };
  await runLoader(configOf(volume, { KEDGE_LIST_SECONDS: '60' }), { once: true, signal }, parts);
  expect(await inconsistencies(volume)).toEqual([]);
};

describe('load --once', () => {
  it('fills the volume and ends, bad versions beside good ones', async () => {
    for (const version of [1, 2, 3]) drop(`demand/${version}/model.onnx`, linearModel({ weight: version }));
    drop('demand/4/model.onnx', linearModel({ opset: 99 }));
    drop('other/1/model.onnx', linearModel());
    await once();
    expect(folders(volume)).toEqual({ versions: ['demand/2', 'demand/3', 'other/1'], staging: [] });
    // Again, with nothing to do.
    await once();
  });

  it('is content with an empty bucket, and leaves an empty catalog', async () => {
    await once();
    expect(await readCatalog(volume)).toMatchObject({ status: 'ok', catalog: { models: [] } });
  });

  it('is content with a model that is retired, or only claimed', async () => {
    drop('gone/1/model.onnx', linearModel());
    drop('gone/rollout.json', '{"schemaVersion": 1, "retired": true}');
    drop('claimed/1/claim.json', '{}');
    await once();
    expect(folders(volume).versions).toEqual([]);
  });

  it('tells of a model of which no version could come', async () => {
    drop('demand/1/model.onnx', linearModel());
    drop('bad/1/model.onnx', linearModel({ opset: 99 }));
    await expect(once()).rejects.toMatchObject({
      code: 'model-not-ready',
      exit: 6,
      message: expect.stringMatching(/of bad\..*99/),
    });
    expect(folders(volume).versions).toEqual(['demand/1']);
  });

  it('tells of a bucket that cannot be read', async () => {
    drop('demand/1/model.onnx', linearModel());
    await once();
    renameSync(bucket, join(scratch.dir, 'away'));
    await expect(once()).rejects.toMatchObject({ code: 'bucket-unreachable', exit: 3 });
    expect(folders(volume).versions).toEqual(['demand/1']);
  });

  it('tells of a volume that another loader holds', async () => {
    const lock = await VolumeLock.tryAcquire(volume, { staleMs: 20_000, onLost: () => undefined });
    await expect(once()).rejects.toMatchObject({ code: 'volume-locked', exit: 5 });
    await lock!.release();
  });

  it('says that it was not complete when it is ended', async () => {
    drop('demand/1/model.onnx', linearModel());
    await expect(once(AbortSignal.abort())).rejects.toMatchObject({ code: 'model-not-ready' });
  });
});
