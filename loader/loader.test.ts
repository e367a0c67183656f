import { cpSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Details, Sample, SampleTensor } from '../contract/manifest.ts';
import { systemClock } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { openStore } from '../registry/open-store.ts';
import { publish } from '../registry/publish.ts';
import { changeRollout } from '../registry/rollout-file.ts';
import { endlessModel, linearModel, manifestFor } from './testing/models.ts';
import { createScratch, writeTree } from './testing/scratch.ts';
import { configOf, eventually, folders, inconsistencies, looks, type Stand, startLoader } from './testing/stand.ts';

const scratch = createScratch();
let count = 0;
let bucket: string;
let volume: string;
let store: ObjectStore;
let stands: Stand[] = [];
beforeEach(() => {
  count += 1;
  bucket = scratch.folder(`bucket-${count}`);
  volume = scratch.folder(`volume-${count}`);
  store = openStore(`file://${bucket}`);
});
afterEach(async () => {
  await Promise.all(stands.map((stand) => stand.stop()));
  stands = [];
  expect(await inconsistencies(volume)).toEqual([]);
});
afterAll(() => scratch.remove());

const start = async (env: Record<string, string> = {}, from: ObjectStore = store): Promise<Stand> => {
  const stand = await startLoader(from, configOf(volume, env));
  stands.push(stand);
  return stand;
};
/** As a person copies a file in. */
const drop = (key: string, content: Uint8Array | string): void => writeTree(bucket, { [key]: content });
const write = { clock: systemClock, random: Math.random };
const tensor = (shape: number[], data: number[]): SampleTensor => ({ datatype: 'FP32', shape, data });
/** Of a model of three inputs: what comes out for 1, 2, 3. */
const sample = (answer: number): Sample => ({
  inputs: { x: tensor([1, 3], [1, 2, 3]) },
  outputs: { y: tensor([1, 1], [answer]) },
  tolerance: { abs: 0.1, rel: 0 },
});
let sources = 0;
/** As `kedge publish` does. */
async function publishModel(model: string, bytes: Uint8Array, details: Details = {}): Promise<number> {
  const source = join(scratch.dir, `source-${++sources}.onnx`);
  writeFileSync(source, bytes);
  return (await publish({ ...write, store, model, source, details })).version;
}
const codes = async (stand: Stand, model: string, version: number): Promise<string[]> => {
  const entry = await stand.until(model, version, (each) => each?.state === 'refused' || each?.state === 'failed');
  return 'reasons' in entry ? entry.reasons.map(({ code }) => code) : [];
};
const metric = async (stand: Stand, name: string): Promise<number> => {
  const line = (await stand.get('/metrics')).text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
};

describe('what is in the bucket comes onto the volume', () => {
  it('a bare drop, read-only and with a derived manifest', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    const entry = await stand.available('demand', 1);
    expect(entry).toMatchObject({ bare: true, path: 'models/demand/1', probe: { rowOutputs: ['y'] } });
    expect(readdirSync(join(volume, 'models/demand/1')).sort()).toEqual(['manifest.json', 'model.onnx']);
    expect(folders(volume)).toEqual({ versions: ['demand/1'], staging: [] });
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
    expect(await metric(stand, 'kedge_loader_catalog_generation')).toBe((await stand.catalog())!.generation);
  });

  it('a published version by the index alone, with its samples tried', async () => {
    const stand = await start({ KEDGE_LIST_SECONDS: '3600' });
    await looks(stand);
    const samples = [sample(12)];
    const version = await publishModel('demand', linearModel({ weight: 2 }), { samples });
    expect(await stand.available('demand', version)).toMatchObject({ bare: false, manifest: { samples: [{}] } });
  });

  it('an empty bucket is a good one', async () => {
    const stand = await start();
    await eventually(
      async () => (await stand.get('/startupz')).status === 200,
      () => 'started',
    );
    expect(await stand.catalog()).toMatchObject({ models: [] });
  });

  it('a drop that is still written is left alone until it rests', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    await stand.available('demand', 1);
    const bytes = linearModel({ weight: 2, ballast: 400_000 });
    for (let end = 0; end < bytes.length; end += 20_000) {
      drop('demand/2/model.onnx', bytes.subarray(0, end));
      await systemClock.sleep(40);
    }
    drop('demand/2/model.onnx', bytes);
    await stand.available('demand', 2);
    expect(stand.log.filter(({ code }) => String(code).startsWith('onnx-'))).toEqual([]);
  });

  it('a claim without a manifest is told and not served, and comes when it is complete', async () => {
    drop('demand/1/claim.json', '{}');
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    await stand.until('demand', 1, (entry) => entry?.state === 'incomplete');
    drop('demand/1/manifest.json', manifestFor(linearModel(), 'demand', 1));
    await stand.available('demand', 1);
  });
});

describe('what does not fit is refused, and the version before stays', () => {
  it('each with its code', async () => {
    const good = linearModel({ weight: 3 });
    drop('demand/1/model.onnx', linearModel());
    drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    const stand = await start();
    await stand.available('demand', 2);
    drop('demand/3/model.onnx', linearModel({ input: 'renamed' }));
    drop('demand/4/model.onnx', good.subarray(0, good.length / 2));
    drop('demand/5/model.onnx', good);
    drop('demand/5/manifest.json', manifestFor(linearModel({ weight: 4 }), 'demand', 5));
    drop('demand/6/model.onnx', linearModel({ opset: 99 }));
    drop('demand/7/model.onnx', linearModel({ external: '../secret.bin' }));
    drop('demand/8/model.onnx', good);
    const samples = [sample(19)];
    drop('demand/8/manifest.json', manifestFor(good, 'demand', 8, { samples }));
    drop('demand/9/weights.bin', 'weights');
    drop('demand/10/model.onnx', good);
    drop('demand/10/manifest.json', '{"schemaVersion": 7}');
    drop('demand/11/model.onnx', '<html>Sign in</html>');
    drop('demand/11/readme.txt', 'what is this');
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
      expect([...new Set(await codes(stand, 'demand', version))], String(version)).toEqual(expected);
    expect(await stand.entry('demand', 2)).toMatchObject({ state: 'available' });
    expect(folders(volume)).toEqual({ versions: ['demand/1', 'demand/2'], staging: [] });
    const { text } = await stand.get('/metrics');
    for (const [version, [code]] of wanted) {
      expect(text).toContain(`kedge_loader_refusals{model="demand",version="${version}",code="${code}"} 1`);
      expect(stand.log.filter((line) => line['version'] === version && line['code'] === code)).toHaveLength(1);
    }
  });

  it('not fetched again until its bytes change', async () => {
    drop('demand/1/model.onnx', linearModel({ opset: 99, ballast: 50_000 }));
    const stand = await start();
    await codes(stand, 'demand', 1);
    const before = await metric(stand, 'kedge_loader_fetch_bytes_total');
    expect(before).toBeGreaterThan(50_000);
    await looks(stand, 8);
    expect(await metric(stand, 'kedge_loader_fetch_bytes_total')).toBe(before);
    await stand.stop();
    const again = await start();
    await looks(again, 8);
    expect(await metric(again, 'kedge_loader_fetch_bytes_total')).toBe(0);
    drop('demand/1/model.onnx', linearModel());
    await again.available('demand', 1);
  });

  it('judged again when the rollout says what the contract is', async () => {
    drop('demand/1/model.onnx', linearModel());
    drop('demand/2/model.onnx', linearModel({ input: 'renamed' }));
    const stand = await start();
    expect(await codes(stand, 'demand', 2)).toContain('signature-contract');
    await changeRollout(store, 'demand', write, (rollout) => ({ ...rollout, contract: 2 }));
    await stand.available('demand', 2);
    expect(await stand.entry('demand', 1)).toMatchObject({ state: 'available' });
  });

  it('an index that vouches for another manifest', async () => {
    const version = await publishModel('demand', linearModel());
    const other = manifestFor(linearModel(), 'demand', version, { createdAt: '2020-01-01T00:00:00Z' });
    drop(`demand/${version}/manifest.json`, other);
    const stand = await start();
    expect(await codes(stand, 'demand', version)).toEqual(['manifest-changed']);
  });

  it('a slow one holds up no other, and is given up when the loader ends', async () => {
    drop('slow/1/model.onnx', endlessModel());
    const stand = await start({ KEDGE_PROBE_RUN_SECONDS: '600', KEDGE_CONCURRENCY: '2' });
    await eventually(
      async () => stand.log.some(({ model, msg }) => model === 'slow' && String(msg).startsWith('Fetching')),
      () => 'the slow one under way',
    );
    for (const model of ['a', 'b', 'c']) drop(`${model}/1/model.onnx`, linearModel());
    for (const model of ['a', 'b', 'c']) await stand.available(model, 1);
    expect(await stand.entry('slow', 1)).toBeUndefined();
    await stand.stop();
    expect(await stand.ended).toBeUndefined();
    expect(folders(volume).staging).toEqual([]);
  });

  it('one that never ends fails, and is tried again later', async () => {
    drop('slow/1/model.onnx', endlessModel());
    const stand = await start({ KEDGE_PROBE_RUN_SECONDS: '1' });
    const entry = await stand.until('slow', 1, (each) => each !== undefined);
    expect(entry).toMatchObject({ state: 'failed', attempts: 1, reasons: [{ code: 'run-timeout' }] });
    expect('retryAt' in entry && Date.parse(entry.retryAt!)).toBeGreaterThan(Date.now());
    expect((await stand.get('/startupz')).status).toBe(200);
  });
});

describe('what stays and what goes', () => {
  it('the newest, until the grace is over; all of a retired model', async () => {
    for (const version of [1, 2, 3]) await publishModel('demand', linearModel({ weight: version }));
    const stand = await start({ KEDGE_KEEP: '1', KEDGE_GRACE_SECONDS: '0' });
    await stand.available('demand', 3);
    await publishModel('demand', linearModel({ weight: 4 }));
    await stand.available('demand', 4);
    await eventually(
      async () => folders(volume).versions.join() === 'demand/4',
      () => folders(volume).versions.join(),
    );
    await changeRollout(store, 'demand', write, (rollout) => ({ ...rollout, pin: 1 }));
    await stand.available('demand', 1);
    await changeRollout(store, 'demand', write, (rollout) => ({ ...rollout, retired: true }));
    await eventually(
      async () => folders(volume).versions.length === 0,
      () => folders(volume).versions.join(),
    );
    expect(await stand.catalog()).toMatchObject({
      models: [{ name: 'demand', versions: [], rollout: { retired: true } }],
    });
  });

  it('a version that nobody asks for any more stays for its grace', async () => {
    for (const version of [1, 2]) await publishModel('demand', linearModel({ weight: version }));
    const stand = await start({ KEDGE_KEEP: '1', KEDGE_GRACE_SECONDS: '3600' });
    await stand.available('demand', 2);
    await publishModel('demand', linearModel({ weight: 3 }));
    await stand.available('demand', 3);
    await looks(stand);
    expect(await stand.entry('demand', 2)).toMatchObject({ state: 'available', supersededAt: expect.anything() });
    expect(folders(volume).versions).toEqual(['demand/2', 'demand/3']);
  });

  it('nothing goes because the bucket is emptied, or away', async () => {
    await publishModel('demand', linearModel());
    drop('bare/1/model.onnx', linearModel());
    const stand = await start();
    await stand.available('demand', 1);
    await stand.available('bare', 1);
    const before = await stand.catalog();
    const kept = `${bucket}-kept`;
    cpSync(bucket, kept, { recursive: true });
    for (const name of readdirSync(bucket)) rmSync(join(bucket, name), { recursive: true });
    await looks(stand, 8);
    expect(await stand.catalog()).toEqual(before);
    rmSync(bucket, { recursive: true });
    await eventually(
      async () => (await stand.get('/readyz')).text.includes('bucket-unreachable'),
      () => 'the problem',
    );
    expect((await stand.get('/readyz')).status).toBe(200);
    expect(await metric(stand, 'kedge_loader_bucket_reachable')).toBe(0);
    await looks(stand);
    for (const name of ['index', 'listing'])
      expect(stand.log.filter(({ problem }) => problem === name)).toHaveLength(1);
    expect(await stand.catalog()).toEqual(before);
    renameSync(kept, bucket);
    drop('demand/9/model.onnx', linearModel({ weight: 9 }));
    await stand.available('demand', 9);
    expect(await metric(stand, 'kedge_loader_bucket_reachable')).toBe(1);
  });
});

describe('a version that changes after it was vouched for', () => {
  it('is warned of, while the copy on the volume serves', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    const before = await stand.available('demand', 1);
    drop('demand/1/model.onnx', linearModel({ weight: 7 }));
    const after = await stand.until('demand', 1, (entry) => entry !== undefined && 'warnings' in entry);
    expect(after).toMatchObject({ state: 'available', warnings: [{ code: 'version-changed' }] });
    expect('digest' in after && after.digest).toBe('digest' in before && before.digest);
    const { text } = await stand.get('/metrics');
    expect(text).toContain('kedge_loader_refusals{model="demand",version="1",code="version-changed"} 1');
    expect(stand.log.filter(({ code }) => code === 'version-changed')).toHaveLength(1);
    drop('demand/1/model.onnx', linearModel());
    await stand.until('demand', 1, (entry) => entry !== undefined && !('warnings' in entry));
  });

  it('other times of the same bytes are no change', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    const before = await stand.available('demand', 1);
    utimesSync(join(bucket, 'demand/1/model.onnx'), 1, 1);
    const after = await stand.until('demand', 1, (entry) => entry?.fingerprint !== before.fingerprint);
    expect(after).toEqual({ ...before, fingerprint: after.fingerprint });
  });
});

describe('a start over what an earlier loader left', () => {
  it('serves at once what was vouched for, also without the bucket', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    await stand.available('demand', 1);
    await stand.stop();
    renameSync(bucket, `${bucket}-away`);
    const again = await start();
    await eventually(
      async () => (await again.get('/startupz')).status === 200,
      () => 'started',
    );
    expect(await again.entry('demand', 1)).toMatchObject({ state: 'available' });
  });

  it('makes a lost catalog anew from the volume, also without the bucket', async () => {
    drop('demand/1/model.onnx', linearModel());
    drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    const stand = await start();
    const before = await stand.available('demand', 2);
    await stand.available('demand', 1);
    await stand.stop();
    writeFileSync(join(volume, 'catalog.json'), readFileSync(join(volume, 'catalog.json')).subarray(0, 100));
    renameSync(bucket, `${bucket}-away`);
    const again = await start();
    await eventually(
      async () => (await again.get('/livez')).status === 200 && !(await brokenCatalog()),
      () => 'a catalog',
    );
    const after = await again.available('demand', 2);
    expect('digest' in after && after.digest).toBe('digest' in before && before.digest);
    await again.available('demand', 1);
    // The bucket comes back and says what is bare.
    renameSync(`${bucket}-away`, bucket);
    await again.until('demand', 2, (entry) => entry?.bare === true && entry.fingerprint === before.fingerprint);
    async function brokenCatalog(): Promise<boolean> {
      return again.catalog().then(
        (catalog) => catalog === undefined,
        () => true,
      );
    }
  });

  it('fetches anew what is damaged', async () => {
    drop('demand/1/model.onnx', linearModel());
    const stand = await start();
    await stand.available('demand', 1);
    await stand.stop();
    rmSync(join(volume, 'models/demand/1'), { recursive: true });
    const again = await start();
    await eventually(
      async () => folders(volume).versions.length === 1 && (await inconsistencies(volume)).length === 0,
      () => folders(volume).versions.join(),
    );
    await again.available('demand', 1);
    expect(again.log.filter(({ code }) => code === 'object-corrupt')).toHaveLength(1);
  });

  it('waits for a rollout that exists and cannot be read, rather than serve what it may forbid', async () => {
    drop('demand/1/model.onnx', linearModel());
    drop('demand/rollout.json', 'not yet');
    drop('other/1/model.onnx', linearModel());
    const stand = await start();
    await stand.available('other', 1);
    await eventually(
      async () => (await stand.get('/readyz')).status === 200,
      () => 'ready',
    );
    expect((await stand.get('/readyz')).text).toContain('rollout of demand');
    expect(await stand.entry('demand', 1)).toBeUndefined();
    drop('demand/rollout.json', '{"schemaVersion": 1}');
    await stand.available('demand', 1);
  });
});
