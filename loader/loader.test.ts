import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { changeRollout } from '../registry/rollout-file.ts';
import { endlessModel, linearModel, manifestFor } from './testing/models.ts';
import { codesOf, metricOf, sampleOf, test } from './testing/scene.ts';
import { eventually, folders, looks } from './testing/stand.ts';

describe.concurrent('what is in the bucket comes onto the volume', () => {
  test('a bare drop, read-only and with a derived manifest', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    const entry = await stand.available('demand', 1);
    expect(entry).toMatchObject({ bare: true, path: 'models/demand/1', probe: { rowOutputs: ['y'] } });
    expect(readdirSync(join(scene.volume, 'models/demand/1')).sort()).toEqual(['manifest.json', 'model.onnx']);
    expect(folders(scene.volume)).toEqual({ versions: ['demand/1'], staging: [] });
    await eventually(
      async () => (await stand.get('/readyz')).status === 200,
      () => 'ready',
    );
    const { text } = await stand.get('/metrics');
    for (const line of [
      'kedge_loader_bucket_reachable 1',
      'kedge_loader_lock_held 1',
      'kedge_loader_versions{state="available"} 1',
      'kedge_loader_probe_seconds_count{result="passed"} 1',
    ])
      expect(text).toContain(line);
    expect(await metricOf(stand, 'kedge_loader_catalog_generation')).toBe((await stand.catalog())!.generation);
  });

  test('a published version by the index alone, with its samples tried', async ({ scene }) => {
    const stand = await scene.start({ KEDGE_LIST_SECONDS: '3600' });
    await looks(stand);
    const samples = [sampleOf(12)];
    const version = await scene.publish('demand', linearModel({ weight: 2 }), { samples });
    expect(await stand.available('demand', version)).toMatchObject({ bare: false, manifest: { samples: [{}] } });
  });

  test('an empty bucket is a good one', async ({ scene }) => {
    const stand = await scene.start();
    await eventually(
      async () => (await stand.get('/startupz')).status === 200,
      () => 'started',
    );
    expect(await stand.catalog()).toMatchObject({ models: [] });
  });

  test('a drop that is still written is left alone until it rests', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.available('demand', 1);
    const bytes = linearModel({ weight: 2, ballast: 400_000 });
    for (let end = 0; end < bytes.length; end += 20_000) {
      scene.drop('demand/2/model.onnx', bytes.subarray(0, end));
      await systemClock.sleep(40);
    }
    scene.drop('demand/2/model.onnx', bytes);
    await stand.available('demand', 2);
    expect(stand.log.filter(({ code }) => String(code).startsWith('onnx-'))).toEqual([]);
  });

  test('a claim without a manifest is told and not served, and comes when it is complete', async ({ scene }) => {
    scene.drop('demand/1/claim.json', '{}');
    scene.drop('demand/1/model.onnx', linearModel());
    const stand = await scene.start();
    await stand.until('demand', 1, (entry) => entry?.state === 'incomplete');
    scene.drop('demand/1/manifest.json', manifestFor(linearModel(), 'demand', 1));
    await stand.available('demand', 1);
  });
});

describe.concurrent('what does not fit is refused, and the version before stays', () => {
  test('each with its code', async ({ scene }) => {
    const good = linearModel({ weight: 3 });
    scene.drop('demand/1/model.onnx', linearModel());
    scene.drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    const stand = await scene.start();
    await stand.available('demand', 2);
    scene.drop('demand/3/model.onnx', linearModel({ input: 'renamed' }));
    scene.drop('demand/4/model.onnx', good.subarray(0, good.length / 2));
    scene.drop('demand/5/model.onnx', good);
    scene.drop('demand/5/manifest.json', manifestFor(linearModel({ weight: 4 }), 'demand', 5));
    scene.drop('demand/6/model.onnx', linearModel({ opset: 99 }));
    scene.drop('demand/7/model.onnx', linearModel({ external: '../secret.bin' }));
    scene.drop('demand/8/model.onnx', good);
    const samples = [sampleOf(19)];
    scene.drop('demand/8/manifest.json', manifestFor(good, 'demand', 8, { samples }));
    scene.drop('demand/9/weights.bin', 'weights');
    scene.drop('demand/10/model.onnx', good);
    scene.drop('demand/10/manifest.json', '{"schemaVersion": 7}');
    scene.drop('demand/11/model.onnx', '<html>Sign in</html>');
    scene.drop('demand/11/readme.txt', 'what is this');
    const wanted: [number, string[]][] = [
      [3, ['signature-contract']],
      [4, ['onnx-truncated']],
      [5, ['digest-mismatch']],
      [6, ['opset']],
      [7, ['external-data-path']],
      [8, ['samples-mismatch']],
      [9, ['model-file-missing']],
      [10, ['manifest-schema']],
      [11, ['bare-several-files', 'onnx-not-a-model']],
    ];
    for (const [version, expected] of wanted)
      expect([...new Set(await codesOf(stand, 'demand', version))], String(version)).toEqual(expected);
    expect(await stand.entry('demand', 2)).toMatchObject({ state: 'available' });
    expect(folders(scene.volume)).toEqual({ versions: ['demand/1', 'demand/2'], staging: [] });
    const { text } = await stand.get('/metrics');
    for (const [version, [code]] of wanted) {
      expect(text).toContain(`kedge_loader_refusals{model="demand",version="${version}",code="${code}"} 1`);
      expect(stand.log.filter((line) => line['version'] === version && line['code'] === code)).toHaveLength(1);
    }
  });

  test('judged again, with the same bytes, by a loader with other limits', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel({ ballast: 2 ** 20 }));
    const small = await scene.start({ KEDGE_MAX_VERSION_MB: '1' });
    expect(await codesOf(small, 'demand', 1)).toEqual(['version-too-large']);
    await small.stop();
    const larger = await scene.start({ KEDGE_MAX_VERSION_MB: '2' });
    await larger.available('demand', 1);
  });

  test('not fetched again until its bytes change', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel({ opset: 99, ballast: 50_000 }));
    const stand = await scene.start();
    await codesOf(stand, 'demand', 1);
    const before = await metricOf(stand, 'kedge_loader_fetch_bytes_total');
    expect(before).toBeGreaterThan(50_000);
    await looks(stand, 8);
    expect(await metricOf(stand, 'kedge_loader_fetch_bytes_total')).toBe(before);
    await stand.stop();
    const again = await scene.start();
    await looks(again, 8);
    expect(await metricOf(again, 'kedge_loader_fetch_bytes_total')).toBe(0);
    scene.drop('demand/1/model.onnx', linearModel());
    await again.available('demand', 1);
  });

  test('judged again when the rollout says what the contract is', async ({ scene }) => {
    scene.drop('demand/1/model.onnx', linearModel());
    scene.drop('demand/2/model.onnx', linearModel({ input: 'renamed' }));
    const stand = await scene.start();
    expect(await codesOf(stand, 'demand', 2)).toContain('signature-contract');
    await changeRollout(scene.store, 'demand', scene.write, (rollout) => ({ ...rollout, contract: 2 }));
    await stand.available('demand', 2);
    await stand.available('demand', 1);
  });

  test('an index that vouches for another manifest', async ({ scene }) => {
    const version = await scene.publish('demand', linearModel());
    const other = manifestFor(linearModel(), 'demand', version, { createdAt: '2020-01-01T00:00:00Z' });
    scene.drop(`demand/${version}/manifest.json`, other);
    const stand = await scene.start();
    expect(await codesOf(stand, 'demand', version)).toEqual(['manifest-changed']);
  });

  test('a slow one holds up no other, and is given up when the loader ends', async ({ scene }) => {
    scene.drop('slow/1/model.onnx', endlessModel());
    const stand = await scene.start({ KEDGE_PROBE_RUN_SECONDS: '600', KEDGE_CONCURRENCY: '2' });
    await eventually(
      async () => stand.log.some(({ model, msg }) => model === 'slow' && String(msg).startsWith('Fetching')),
      () => 'the slow one under way',
    );
    for (const model of ['a', 'b', 'c']) scene.drop(`${model}/1/model.onnx`, linearModel());
    for (const model of ['a', 'b', 'c']) await stand.available(model, 1);
    expect(await stand.entry('slow', 1)).toBeUndefined();
    await stand.stop();
    expect(await stand.ended).toBeUndefined();
    expect(folders(scene.volume).staging).toEqual([]);
  });

  test('one that never ends fails, and is tried again later', async ({ scene }) => {
    scene.drop('slow/1/model.onnx', endlessModel());
    const stand = await scene.start({ KEDGE_PROBE_RUN_SECONDS: '1' });
    const entry = await stand.until('slow', 1, (each) => each !== undefined);
    expect(entry).toMatchObject({ state: 'failed', attempts: 1, reasons: [{ code: 'run-timeout' }] });
    expect('retryAt' in entry && Date.parse(entry.retryAt!)).toBeGreaterThan(Date.now());
    await eventually(
      async () => (await stand.get('/startupz')).status === 200,
      () => 'started',
    );
  });
});
