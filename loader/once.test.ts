import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { silentLog } from '../platform/log.ts';
import { VolumeLock } from './lock.ts';
import { runLoader } from './main.ts';
import { linearModel } from './testing/models.ts';
import { type Scene, test } from './testing/scene.ts';
import { configOf, folders } from './testing/stand.ts';
import { readCatalog } from './volume.ts';

const once = ({ store, volume }: Scene, signal = new AbortController().signal): Promise<void> =>
  runLoader(configOf(volume, { KEDGE_LIST_SECONDS: '60' }), { once: true, signal }, { store, log: silentLog });

describe.concurrent('load --once', () => {
  test('fills the volume and ends, bad versions beside good ones', async ({ scene }) => {
    for (const version of [1, 2, 3]) scene.drop(`demand/${version}/model.onnx`, linearModel({ weight: version }));
    scene.drop('demand/4/model.onnx', linearModel({ opset: 99 }));
    scene.drop('other/1/model.onnx', linearModel());
    await once(scene);
    expect(folders(scene.volume)).toEqual({ versions: ['demand/2', 'demand/3', 'other/1'], staging: [] });
    // Again, with nothing to do.
    await once(scene);
  });

  test('is content with an empty bucket, and leaves an empty catalog', async ({ scene }) => {
    await once(scene);
    expect(await readCatalog(scene.volume)).toMatchObject({ status: 'ok', catalog: { models: [] } });
  });

  test('is content with a model that is retired, or only claimed', async ({ scene }) => {
    scene.drop('gone/1/model.onnx', linearModel());
    scene.drop('gone/rollout.json', '{"schemaVersion": 1, "retired": true}');
    scene.drop('claimed/1/claim.json', '{}');
    await once(scene);
    expect(folders(scene.volume).versions).toEqual([]);
  });

  test('tells of a model of which no version could come', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    scene.drop('bad/1/model.onnx', linearModel({ opset: 99 }));
    await expect(once(scene)).rejects.toMatchObject({
      code: 'model-not-ready',
      exit: 6,
      message: expect.stringMatching(/of bad\..*99/),
    });
    expect(folders(scene.volume).versions).toEqual(['demand/1']);
  });

  test('tells of a bucket that cannot be read', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    await once(scene);
    renameSync(scene.bucket, join(scene.scratch.dir, 'away'));
    await expect(once(scene)).rejects.toMatchObject({ code: 'bucket-unreachable', exit: 3 });
    expect(folders(scene.volume).versions).toEqual(['demand/1']);
  });

  test('tells of a volume that another loader holds', async ({ scene }) => {
    const lock = await VolumeLock.tryAcquire(scene.volume, { staleMs: 20_000, onLost: () => undefined });
    await expect(once(scene)).rejects.toMatchObject({ code: 'volume-locked', exit: 5 });
    await lock!.release();
  });

  test('says that it was not complete when it is ended', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    await expect(once(scene, AbortSignal.abort())).rejects.toMatchObject({ code: 'model-not-ready' });
  });
});
