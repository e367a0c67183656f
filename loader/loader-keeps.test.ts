import { cpSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { changeRollout } from '../registry/rollout-file.ts';
import { linearModel } from './testing/models.ts';
import { metricOf, test } from './testing/scene.ts';
import { eventually, folders, inconsistencies, looks } from './testing/stand.ts';

describe.concurrent('what stays and what goes', () => {
  test('the newest, until the grace is over; all of a retired model', async ({ scene }) => {
    for (const version of [1, 2, 3]) await scene.publish('demand', linearModel({ weight: version }));
    const stand = await scene.start({ KEDGE_KEEP: '1', KEDGE_KEEP_SECONDS: '0' });
    await stand.available('demand', 3);
    await scene.publish('demand', linearModel({ weight: 4 }));
    await stand.available('demand', 4);
    await eventually(
      async () => folders(scene.volume).versions.join() === 'demand/4',
      () => folders(scene.volume).versions.join(),
    );
    await changeRollout(scene.store, 'demand', scene.write, (rollout) => ({ ...rollout, pin: 1 }));
    await stand.available('demand', 1);
    await changeRollout(scene.store, 'demand', scene.write, (rollout) => ({ ...rollout, retired: true }));
    await eventually(
      async () => folders(scene.volume).versions.length === 0,
      () => folders(scene.volume).versions.join(),
    );
    expect(await stand.catalog()).toMatchObject({
      models: [{ name: 'demand', versions: [], rollout: { retired: true } }],
    });
  });

  test('a version that nobody asks for any more stays for its grace', async ({ scene }) => {
    for (const version of [1, 2]) await scene.publish('demand', linearModel({ weight: version }));
    const stand = await scene.start({ KEDGE_KEEP: '1', KEDGE_KEEP_SECONDS: '3600' });
    await stand.available('demand', 2);
    await scene.publish('demand', linearModel({ weight: 3 }));
    await stand.available('demand', 3);
    await looks(stand);
    expect(await stand.entry('demand', 2)).toMatchObject({ state: 'available', supersededAt: expect.anything() });
    expect(folders(scene.volume).versions).toEqual(['demand/2', 'demand/3']);
  });

  test('what newer ones that no server here can serve leave to serve', async ({ scene }) => {
    await scene.publish('demand', linearModel());
    const stand = await scene.start({ KEDGE_KEEP: '1', KEDGE_KEEP_SECONDS: '0' });
    await stand.available('demand', 1);
    for (const version of [2, 3]) {
      await scene.publish('demand', linearModel({ weight: version }), { requires: { server: '>=99' } });
      await stand.available('demand', version);
    }
    // Of the two that need the same the older one goes, so what is to go has gone.
    await eventually(
      async () => !folders(scene.volume).versions.includes('demand/2'),
      () => folders(scene.volume).versions.join(),
    );
    await looks(stand);
    expect(folders(scene.volume).versions).toEqual(['demand/1', 'demand/3']);
    expect(await stand.entry('demand', 1)).toMatchObject({ state: 'available' });
  });

  test('nothing goes because the bucket is emptied, or away', async ({ scene }) => {
    await scene.publish('demand', linearModel());
    scene.drop('bare/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('demand', 1);
    await stand.available('bare', 1);
    const before = await stand.catalog();
    const kept = `${scene.bucket}-kept`;
    cpSync(scene.bucket, kept, { recursive: true });
    for (const name of readdirSync(scene.bucket)) rmSync(join(scene.bucket, name), { recursive: true });
    await looks(stand, 8);
    expect(await stand.catalog()).toEqual(before);
    rmSync(scene.bucket, { recursive: true });
    await eventually(
      async () => (await stand.get('/readyz')).text.includes('bucket-unreachable'),
      () => 'the problem',
    );
    expect((await stand.get('/readyz')).status).toBe(200);
    expect(await metricOf(stand, 'kedge_loader_bucket_reachable')).toBe(0);
    await looks(stand);
    for (const name of ['index', 'listing'])
      expect(stand.log.filter(({ problem }) => problem === name)).toHaveLength(1);
    expect(await stand.catalog()).toEqual(before);
    renameSync(kept, scene.bucket);
    scene.drop('demand/9/model.onnx', linearModel({ weight: 9 }));
    await stand.available('demand', 9);
    expect(await metricOf(stand, 'kedge_loader_bucket_reachable')).toBe(1);
  });
});

describe.concurrent('a volume that somebody takes from', () => {
  test('gets its catalog again', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('demand', 1);
    await looks(stand);
    const before = await stand.catalog();
    rmSync(join(scene.volume, 'catalog.json'));
    const after = await eventually(
      () => stand.catalog(),
      () => 'a catalog',
    );
    expect(after.models).toEqual(before?.models);
    expect(after.generation).toBeGreaterThan(before!.generation);
    await looks(stand);
    expect(await stand.catalog()).toEqual(after);
  });

  test('gets a version again, which stays in the catalog all the while', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    const before = await stand.available('demand', 1);
    await looks(stand);
    renameSync(scene.bucket, `${scene.bucket}-away`);
    rmSync(join(scene.volume, 'models/demand/1'), { recursive: true });
    await looks(stand);
    expect(await stand.entry('demand', 1)).toEqual(before);
    renameSync(`${scene.bucket}-away`, scene.bucket);
    await eventually(
      async () => folders(scene.volume).versions.length === 1,
      () => 'the version',
    );
    expect(await inconsistencies(scene.volume)).toEqual([]);
    await looks(stand);
    expect(await stand.available('demand', 1)).toMatchObject({ digest: 'digest' in before && before.digest });
    expect(stand.log.filter(({ msg }) => String(msg).startsWith('Fetching'))).toHaveLength(2);
  });
});

describe.concurrent('a version that changes after it was vouched for', () => {
  test('is warned of, while the copy on the volume serves', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    const before = await stand.available('demand', 1);
    scene.drop('demand/1/model.onnx', linearModel({ weight: 7 }));
    const after = await stand.until('demand', 1, (entry) => entry !== undefined && 'warnings' in entry);
    expect(after).toMatchObject({ state: 'available', warnings: [{ code: 'version-changed' }] });
    expect('digest' in after && after.digest).toBe('digest' in before && before.digest);
    const { text } = await stand.get('/metrics');
    expect(text).toContain('kedge_loader_refusals{model="demand",version="1",code="version-changed"} 1');
    expect(stand.log.filter(({ code }) => code === 'version-changed')).toHaveLength(1);
    scene.drop('demand/1/model.onnx', linearModel());
    await stand.until('demand', 1, (entry) => entry !== undefined && !('warnings' in entry));
  });

  test('other times of the same bytes are no change', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    const before = await stand.available('demand', 1);
    utimesSync(join(scene.bucket, 'demand/1/model.onnx'), 1, 1);
    const after = await stand.until('demand', 1, (entry) => entry?.fingerprint !== before.fingerprint);
    expect(after).toEqual({ ...before, fingerprint: after.fingerprint });
  });
});

describe.concurrent('a start over what an earlier loader left', () => {
  test('serves at once what was vouched for, also without the bucket', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('demand', 1);
    await stand.stop();
    renameSync(scene.bucket, `${scene.bucket}-away`);
    const again = await scene.start();
    await eventually(
      async () => (await again.get('/startupz')).status === 200,
      () => 'started',
    );
    expect(await again.entry('demand', 1)).toMatchObject({ state: 'available' });
  });

  test('makes a lost catalog anew from the volume, also without the bucket', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    scene.drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    const stand = await scene.start();
    const before = await stand.available('demand', 2);
    await stand.available('demand', 1);
    await stand.stop();
    writeFileSync(
      join(scene.volume, 'catalog.json'),
      readFileSync(join(scene.volume, 'catalog.json')).subarray(0, 100),
    );
    renameSync(scene.bucket, `${scene.bucket}-away`);
    const again = await scene.start();
    await eventually(
      async () => (await again.get('/livez')).status === 200 && !(await brokenCatalog()),
      () => 'a catalog',
    );
    const after = await again.available('demand', 2);
    expect('digest' in after && after.digest).toBe('digest' in before && before.digest);
    await again.available('demand', 1);
    // The bucket comes back and says what is bare.
    renameSync(`${scene.bucket}-away`, scene.bucket);
    await again.until('demand', 2, (entry) => entry?.bare === true && entry.fingerprint === before.fingerprint);
    async function brokenCatalog(): Promise<boolean> {
      return again.catalog().then(
        (catalog) => catalog === undefined,
        () => true,
      );
    }
  });

  test('fetches anew what is damaged', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('demand', 1);
    await stand.stop();
    rmSync(join(scene.volume, 'models/demand/1'), { recursive: true });
    const again = await scene.start();
    await eventually(
      async () => folders(scene.volume).versions.length === 1 && (await inconsistencies(scene.volume)).length === 0,
      () => folders(scene.volume).versions.join(),
    );
    await again.available('demand', 1);
    expect(again.log.filter(({ code }) => code === 'object-corrupt')).toHaveLength(1);
  });

  test('waits for a rollout that exists and cannot be read, rather than serve what it may forbid', async ({
    scene,
  }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    scene.drop('demand/rollout.json', 'not yet');
    scene.drop('other/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('other', 1);
    await eventually(
      async () => (await stand.get('/readyz')).status === 200,
      () => 'ready',
    );
    expect((await stand.get('/readyz')).text).toContain('rollout of demand');
    expect(await stand.entry('demand', 1)).toBeUndefined();
    scene.drop('demand/rollout.json', '{"schemaVersion": 1}');
    await stand.available('demand', 1);
  });
});
