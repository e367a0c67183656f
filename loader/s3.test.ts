import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { openStore } from '../registry/open-store.ts';
import { changeRollout } from '../registry/rollout-file.ts';
import { type Fault, type FaultyS3, type Plan, startFaultyS3 } from '../tests/faulty-s3.ts';
import { hasS3Server, type S3Server, s3Options, startS3Server, withS3Server } from '../tests/s3-server.ts';
import { linearModel, manifestFor } from './testing/models.ts';
import { createScratch } from './testing/scratch.ts';
import { configOf, eventually, folders, inconsistencies, looks, type Stand, startLoader } from './testing/stand.ts';

const scratch = createScratch();
const isModel = (url: string): boolean => url.includes('model.onnx');
const cut = (at: number, how: 'fin' | 'reset' | 'stall'): Fault => ({ cut: at, how });

describe.skipIf(!hasS3Server)(withS3Server('a loader over S3'), () => {
  let server: S3Server;
  let proxy: FaultyS3;
  /** Without the proxy, as another client has it. */
  let direct: ObjectStore;
  let store: ObjectStore;
  let stand: Stand | undefined;
  let volume: string;
  let count = 0;
  beforeAll(async () => {
    server = await startS3Server();
    proxy = await startFaultyS3(server.url);
  });
  beforeEach(() => {
    proxy.plan = () => undefined;
    const url = `s3://${server.bucket}/b${++count}`;
    direct = openStore(url, { s3: s3Options(server.url) });
    const timeouts = { connectMs: 1_000, answerMs: 1_000, idleMs: 500 };
    store = openStore(url, { s3: { ...s3Options(proxy.url), timeouts } });
    volume = scratch.folder(`volume-${count}`);
  });
  afterEach(async () => {
    await stand?.stop();
    stand = undefined;
    direct.close();
    expect(await inconsistencies(volume)).toEqual([]);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
    scratch.remove();
  });

  const drop = (key: string, bytes: Uint8Array | string) => direct.put(key, Buffer.from(bytes), {});
  const start = async (env: Record<string, string> = {}): Promise<Stand> => {
    stand = await startLoader(store, configOf(volume, env));
    return stand;
  };
  const logged = (problem: string) => stand!.log.filter((line) => line['problem'] === problem);

  it('takes up what is dropped and published, and asks no more than it must', async () => {
    await drop('demand/1/model.onnx', linearModel());
    const loader = await start();
    expect(await loader.available('demand', 1)).toMatchObject({ bare: true });
    const bytes = linearModel({ weight: 2 });
    await drop('demand/2/claim.json', '{}');
    await drop('demand/2/model.onnx', bytes);
    await drop('demand/2/manifest.json', manifestFor(bytes, 'demand', 2));
    expect(await loader.available('demand', 2)).toMatchObject({ bare: false });
    await changeRollout(direct, 'demand', { clock: systemClock, random: Math.random }, (rollout) => ({
      ...rollout,
      pin: 1,
    }));
    await eventually(
      async () => (await loader.catalog())?.models[0]?.rollout?.pin === 1,
      () => 'the pin in the catalog',
    );
    await looks(loader, 2);
    const before = proxy.seen.length;
    await looks(loader, 6);
    const kinds = proxy.seen
      .slice(before)
      .map(({ method, url }) => `${method} ${/list-type|index\.json/.exec(url)?.[0]}`);
    expect(new Set(kinds)).toEqual(new Set(['GET list-type', 'GET index.json']));
  });

  it('a bucket that is emptied takes nothing away', async () => {
    await drop('demand/1/model.onnx', linearModel());
    const loader = await start();
    await loader.available('demand', 1);
    await direct.delete('demand/1/model.onnx');
    await looks(loader, 8);
    expect(await loader.entry('demand', 1)).toMatchObject({ state: 'available' });
    await drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    await loader.available('demand', 2);
  });

  it.each<[string, Plan, RegExp]>([
    ['revoked credentials', () => ({ status: 403, code: 'AccessDenied' }), /bucket-unreachable 403/],
    ['answers of 500', () => ({ status: 500, code: 'InternalError' }), /bucket-unreachable 500/],
    ['no answer at all', () => ({ hang: true }), /bucket-unreachable/],
  ])('bears %s, says so once, and recovers', async (_what, plan, code) => {
    await drop('demand/1/model.onnx', linearModel());
    const loader = await start();
    await loader.available('demand', 1);
    proxy.plan = plan;
    await eventually(
      async () => logged('listing').length > 0,
      () => 'the problem in the log',
    );
    await looks(loader, 2);
    expect(logged('index').map((line) => line['code'])).toEqual([expect.stringMatching(code)]);
    expect(logged('listing').map((line) => line['code'])).toEqual([expect.stringMatching(code)]);
    const { text } = await loader.get('/metrics');
    expect(text).toContain('kedge_loader_bucket_reachable 0');
    expect(text).toMatch(new RegExp(`problems\\{problem="listing",code="${code.source}`));
    expect((await loader.get('/readyz')).status).toBe(200);
    expect(await loader.entry('demand', 1)).toMatchObject({ state: 'available' });
    await drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    proxy.plan = () => undefined;
    await loader.available('demand', 2);
    expect((await loader.get('/metrics')).text).toContain('kedge_loader_bucket_reachable 1');
  });

  it.each<[string, Fault]>([
    ['stall in mid-body', cut(300_000, 'stall')],
    ['break off', cut(300_000, 'reset')],
    ['end early', cut(300_000, 'fin')],
    ['are refused', { status: 503, code: 'SlowDown' }],
  ])('transfers that %s for a while are taken up again', async (_what, fault) => {
    await drop('demand/1/model.onnx', linearModel());
    const loader = await start();
    await loader.available('demand', 1);
    let left = 3;
    proxy.plan = ({ method, url }) => (method === 'GET' && isModel(url) && left-- > 0 ? fault : undefined);
    await drop('demand/2/model.onnx', linearModel({ weight: 2, ballast: 1_000_000 }));
    await loader.available('demand', 2);
    expect(left).toBeLessThanOrEqual(0);
    expect(await loader.entry('demand', 1)).toMatchObject({ state: 'available' });
  });

  it('a transfer that cannot be had now is told, holds up nobody, and comes when the bucket is well', async () => {
    await drop('big/1/model.onnx', linearModel({ ballast: 1_000_000 }));
    proxy.plan = ({ method, url }) =>
      method === 'GET' && url.includes('big/1/model.onnx') ? { status: 500, code: 'InternalError' } : undefined;
    const loader = await start();
    await drop('small/1/model.onnx', linearModel());
    await loader.available('small', 1);
    const entry = await loader.until('big', 1, (each) => each !== undefined);
    expect(entry).toMatchObject({ state: 'failed', reasons: [{ code: 'fetch-failed' }], retryAt: expect.anything() });
    // What there is to serve first did not come for reasons of the bucket, so a new pod waits.
    expect((await loader.get('/startupz')).status).toBe(503);
    expect(folders(volume)).toEqual({ versions: ['small/1'], staging: [] });
    proxy.plan = () => undefined;
    await loader.available('big', 1);
    await eventually(
      async () => (await loader.get('/startupz')).status === 200,
      () => 'started',
    );
  });

  it.each<[string, (index: number) => Fault | undefined, string | undefined]>([
    ['once is fetched again', (index) => (index === 0 ? { flip: 60_000 } : undefined), undefined],
    ['the same each time is in the bucket', () => ({ flip: 60_000 }), 'digest-mismatch'],
    ['another each time is the fault of the way', (index) => ({ flip: 60_000 + index }), 'fetch-failed'],
  ])('a wrong bit %s', async (_what, fault, code) => {
    const bytes = linearModel({ weight: 2, ballast: 100_000 });
    await drop('demand/1/model.onnx', bytes);
    await drop('demand/1/manifest.json', manifestFor(bytes, 'demand', 1));
    let index = 0;
    proxy.plan = ({ url, method }) => (method === 'GET' && isModel(url) ? fault(index++) : undefined);
    const loader = await start();
    if (code === undefined) await loader.available('demand', 1);
    else expect(await loader.until('demand', 1, (each) => each !== undefined)).toMatchObject({ reasons: [{ code }] });
  });
});
