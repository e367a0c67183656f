import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openStore } from '../registry/open-store.ts';
import { linearModel } from './testing/models.ts';
import { createScratch, mountSmall, writeTree } from './testing/scratch.ts';
import { configOf, eventually, folders, inconsistencies, type Stand, startLoader } from './testing/stand.ts';

const scratch = createScratch();
let stands: Stand[] = [];
afterEach(async () => {
  await Promise.all(stands.map((stand) => stand.stop()));
  stands = [];
});

const start = async (bucket: string, volume: string, env: Record<string, string> = {}): Promise<Stand> => {
  const stand = await startLoader(openStore(`file://${bucket}`), configOf(volume, env));
  stands.push(stand);
  return stand;
};
const logged = (stand: Stand, problem: string) => stand.log.filter((line) => line['problem'] === problem);

/** A lock on a volume that cannot be written is lost after this time, and the loader ends: not what these tests are about. */
const PATIENT = { KEDGE_LOCK_STALE_SECONDS: '60' };
const KIB = 1024;
const mounted = scratch.folder('mounted');
const small = mountSmall(mounted, 300 * KIB);
afterAll(() => {
  small?.unmount();
  scratch.remove();
});
const remount = (options: string): void => {
  execFileSync('mount', ['-o', `remount,${options}`, mounted]);
};
const title = `a volume${small ? '' : ' (left out: no file system can be mounted here)'}`;

describe.skipIf(!small)(title, () => {
  it('that is full, and then larger', async () => {
    const bucket = scratch.folder('full-bucket');
    const drop = (version: number, ballast: number): void =>
      writeTree(bucket, { [`demand/${version}/model.onnx`]: linearModel({ weight: version, ballast }) });
    drop(1, 100 * KIB);
    const stand = await start(bucket, mounted, PATIENT);
    await stand.available('demand', 1);
    drop(2, 400 * KIB);
    drop(3, 50 * KIB);
    // One that fits is not held up by one that does not.
    await stand.available('demand', 3);
    await eventually(
      async () => logged(stand, 'volume').length > 0,
      () => 'the problem in the log',
    );
    expect(logged(stand, 'volume')[0]).toMatchObject({
      code: 'volume-failed ENOSPC',
      msg: expect.stringMatching(/larger/),
    });
    expect((await stand.get('/metrics')).text).toContain('problems{problem="volume",code="volume-failed ENOSPC"} 1');
    expect(await stand.entry('demand', 2)).toBeUndefined();
    expect(await stand.entry('demand', 1)).toMatchObject({ state: 'available' });
    expect(await inconsistencies(mounted)).toEqual([]);
    remount(`size=${2000 * KIB}`);
    await stand.available('demand', 2);
    await eventually(
      async () => !(await stand.get('/readyz')).text.includes('volume-failed'),
      () => 'no problem',
    );
  });

  it('that is read-only, and then not', async () => {
    const bucket = scratch.folder('ro-bucket');
    writeTree(bucket, { 'other/1/model.onnx': linearModel() });
    const stand = await start(bucket, mounted, PATIENT);
    await stand.available('other', 1);
    remount('ro');
    writeTree(bucket, { 'other/2/model.onnx': linearModel({ weight: 2 }) });
    await eventually(
      async () => logged(stand, 'volume').length > 0,
      () => 'the problem in the log',
    );
    expect(logged(stand, 'volume')[0]).toMatchObject({ code: 'volume-failed EROFS' });
    expect((await stand.get('/livez')).status).toBe(200);
    remount('rw');
    await stand.available('other', 2);
    await stand.stop();
  });

  it('is well again once a write worked, and not when nobody wants to write any more', async () => {
    const bucket = scratch.folder('gone-bucket');
    writeTree(bucket, { 'fourth/1/model.onnx': linearModel() });
    const stand = await start(bucket, mounted, PATIENT);
    await stand.available('fourth', 1);
    remount('ro');
    writeTree(bucket, { 'fourth/2/model.onnx': linearModel({ weight: 2 }) });
    await eventually(
      async () => logged(stand, 'volume').length > 0,
      () => 'the problem in the log',
    );
    rmSync(join(bucket, 'fourth/2'), { recursive: true });
    await eventually(
      async () => logged(stand, 'catalog').length > 0,
      () => 'the write of the catalog that was to show whether it is well',
    );
    expect(logged(stand, 'volume').filter(({ msg }) => String(msg).includes('well again'))).toEqual([]);
    remount('rw');
    await eventually(
      async () => logged(stand, 'volume').some(({ msg }) => String(msg).includes('well again')),
      () => 'that it is well again in the log',
    );
    await stand.stop();
  });

  it('that is read-only at the start is waited for', async () => {
    remount('ro');
    const bucket = scratch.folder('ro-start');
    writeTree(bucket, { 'third/1/model.onnx': linearModel() });
    const stand = await start(bucket, mounted, PATIENT);
    await eventually(
      async () => (await stand.get('/readyz')).text.includes('EROFS'),
      () => 'the problem',
    );
    expect((await stand.get('/readyz')).status).toBe(503);
    remount('rw');
    await stand.available('third', 1);
  });
});

describe('two loaders on one volume', () => {
  it('one waits and says so, and goes on where the other ended', async () => {
    const bucket = scratch.folder('two-bucket');
    const volume = scratch.folder('two-volume');
    const drop = (version: number): void =>
      writeTree(bucket, { [`demand/${version}/model.onnx`]: linearModel({ weight: version }) });
    drop(1);
    const first = await start(bucket, volume);
    // Then it holds the lock: it listens before it does.
    await first.available('demand', 1);
    const second = await start(bucket, volume);
    await eventually(
      async () => logged(second, 'lock').length > 0,
      () => 'the second says that it waits',
    );
    expect(logged(second, 'lock')[0]).toMatchObject({
      code: 'volume-locked',
      msg: expect.stringMatching(/another loader holds/i),
    });
    expect((await second.get('/readyz')).status).toBe(503);
    expect((await second.get('/livez')).status).toBe(200);
    await eventually(
      async () => (await second.get('/startupz')).status === 200,
      () => 'it lets its server start',
    );
    expect((await second.get('/metrics')).text).toContain('kedge_loader_lock_held 0');
    await first.stop();
    drop(2);
    await second.available('demand', 2);
    expect((await second.get('/metrics')).text).toContain('kedge_loader_lock_held 1');
    expect((await second.get('/readyz')).status).toBe(200);
    expect(folders(volume)).toEqual({ versions: ['demand/1', 'demand/2'], staging: [] });
  });

  it('one that lost the lock ends', async () => {
    const bucket = scratch.folder('lost-bucket');
    const volume = scratch.folder('lost-volume');
    mkdirSync(bucket, { recursive: true });
    const stand = await start(bucket, volume);
    await eventually(
      async () => (await stand.get('/readyz')).status === 200,
      () => 'ready',
    );
    rmSync(join(volume, '.loader.lock'), { recursive: true });
    expect(await stand.ended).toMatchObject({ code: 'volume-locked', exit: 5 });
  });
});
