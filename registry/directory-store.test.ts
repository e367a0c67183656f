import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../platform/clock.ts';
import { withLock } from './directory-lock.ts';
import { DirectoryStore } from './directory-store.ts';
import { bytesOf, describeObjectStore, listKeys, readObject } from './testing/object-store-suite.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kedge-dir-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function openNew(name: string): Promise<{ root: string; store: DirectoryStore }> {
  const root = join(dir, name);
  await mkdir(root);
  return { root, store: new DirectoryStore(root, { clock: systemClock, random: Math.random, pageSize: 100 }) };
}

describeObjectStore('DirectoryStore', async (name) => (await openNew(name)).store, { hasPages: 250 });

describe('DirectoryStore alone', () => {
  it('takes a folder that is not there for an unreachable bucket, never for an empty one', async () => {
    const store = new DirectoryStore(join(dir, 'not-mounted'), { clock: systemClock, random: Math.random });
    const refusal = { code: 'bucket-unreachable', message: expect.stringContaining('mkdir -p') };
    await expect(listKeys(store, '')).rejects.toMatchObject(refusal);
    await expect(store.head('a')).rejects.toMatchObject(refusal);
    await expect(store.get('a')).rejects.toMatchObject(refusal);
    await expect(store.put('a', bytesOf('x'), {})).rejects.toMatchObject(refusal);
  });

  it.skipIf(process.getuid?.() === 0)('takes a folder that may not be read for unreachable', async () => {
    const { root, store } = await openNew('unreadable');
    await store.put('m/1/f', bytesOf('x'), {});
    await chmod(join(root, 'm'), 0);
    await expect(listKeys(store, '')).rejects.toMatchObject({ code: 'bucket-unreachable' });
    await chmod(join(root, 'm'), 0o755);
  });

  it('follows no symbolic link, and waits for no pipe', async () => {
    const { root, store } = await openNew('links');
    const outside = join(dir, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await mkdir(join(root, 'm/1'), { recursive: true });
    await symlink(join(outside, 'secret'), join(root, 'm/1/model.onnx'));
    await symlink(outside, join(root, 'm/2'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'm/1/pipe')]);
    expect(await listKeys(store, '')).toEqual([]);
    for (const key of ['m/1/model.onnx', 'm/2/secret', 'm/1/pipe', 'm/1']) {
      expect(await store.head(key)).toBeUndefined();
      expect(await store.get(key)).toEqual({ status: 'missing' });
    }
    await expect(store.put('m/2/new', bytesOf('x'), { create: true })).rejects.toMatchObject({ code: 'path-invalid' });
    await expect(store.put('m/2/new', bytesOf('x'), {})).rejects.toMatchObject({ code: 'path-invalid' });
    await expect(store.put('m/2/sub/new', bytesOf('x'), {})).rejects.toMatchObject({ code: 'path-invalid' });
    await store.delete('m/2/secret');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it('may itself be a symbolic link', async () => {
    const { root } = await openNew('real');
    await symlink(root, join(dir, 'alias'));
    const store = new DirectoryStore(join(dir, 'alias'), { clock: systemClock, random: Math.random });
    await store.put('m/1/f', bytesOf('x'), { create: true });
    expect(await listKeys(store, '')).toEqual(['m/1/f']);
    expect((await readObject(store, 'm/1/f')).bytes.toString()).toBe('x');
  });

  it('gives a new etag to each swap, though the clock of the disk stands or goes back', async () => {
    const { root, store } = await openNew('etags');
    await store.put('a', bytesOf('0'), { create: true });
    const future = new Date(Date.now() + 3600_000);
    await utimes(join(root, 'a'), future, future);
    const times = [(await store.head('a'))!.etag.split('-')[0]!];
    for (let i = 1; i < 5; i++) {
      const { etag } = await store
        .head('a')
        .then((info) => store.put('a', bytesOf(String(i)), { ifMatch: info!.etag }));
      expect((await store.head('a'))!.etag).toBe(etag);
      times.push(etag.split('-')[0]!);
    }
    expect(times).toEqual([...new Set(times)].toSorted());
  });

  it('tells of a file that is written in place while it is read', async () => {
    const { root, store } = await openNew('torn');
    await writeFile(join(root, 'a'), Buffer.alloc(600_000));
    const got = await store.get('a');
    if (got.status !== 'ok') throw new Error(got.status);
    const reading = (async () => {
      let first = true;
      for await (const _chunk of got.body) {
        if (first) await writeFile(join(root, 'a'), Buffer.alloc(600_001));
        first = false;
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'object-changed' });
  });

  it('is in no way of a file where a folder should be, nor the other way round', async () => {
    const { store } = await openNew('both');
    await store.put('a', bytesOf('x'), { create: true });
    await store.put('b/c', bytesOf('x'), { create: true });
    await expect(store.put('a/b', bytesOf('x'), { create: true })).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.put('b', bytesOf('x'), { create: true })).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.put('b', bytesOf('x'), {})).rejects.toMatchObject({ code: 'conflict' });
    expect(await listKeys(store, '')).toEqual(['a', 'b/c']);
  });

  it('leaves nothing of failed writes, and removes what killed writers left long ago', async () => {
    const { root } = await openNew('leftovers');
    const tmp = join(root, '.kedge/tmp');
    await mkdir(tmp, { recursive: true });
    await writeFile(join(tmp, 'old'), '');
    await writeFile(join(tmp, 'new'), '');
    const long = new Date(Date.now() - 25 * 3600_000);
    await utimes(join(tmp, 'old'), long, long);
    const store = new DirectoryStore(root, { clock: systemClock, random: Math.random });
    await store.put('a', bytesOf('x'), { create: true });
    await expect(store.put('a', bytesOf('y'), { create: true })).rejects.toMatchObject({ code: 'conflict' });
    expect(await readdir(tmp)).toEqual(['new']);
    expect(await listKeys(store, '')).toEqual(['a']);
  });

  it('lets a put and a delete in one folder go on side by side', async () => {
    const { store } = await openNew('race');
    for (let round = 0; round < 10; round++) {
      await store.put('m/1/a', bytesOf('a'), {});
      await Promise.all([store.delete('m/1/a'), store.put('m/1/b', bytesOf('b'), { create: true })]);
      expect(await listKeys(store, '')).toEqual(['m/1/b']);
      await store.delete('m/1/b');
    }
  });
});

describe('the lock of a folder', () => {
  const options = { clock: systemClock, random: Math.random };

  it('is taken over from a holder that was killed', async () => {
    const { root, store } = await openNew('stale-lock');
    await store.put('a', bytesOf('1'), {});
    const lock = join(root, '.kedge/lock');
    await mkdir(lock);
    const long = new Date(Date.now() - 60_000);
    await utimes(lock, long, long);
    await store.put('a', bytesOf('2'), {});
    expect((await readObject(store, 'a')).bytes.toString()).toBe('2');
  });

  it('is waited for, with a pause between the tries, and not for ever', async () => {
    const folder = join(dir, 'held');
    let now = 0;
    const sleeps: number[] = [];
    const clock: Clock = {
      now: () => now,
      sleep: async (ms) => {
        sleeps.push(ms);
        now += ms;
      },
    };
    const waiting = withLock(folder, options, async () => {
      const second = withLock(folder, { clock, random: () => 0.5, patienceMs: 1000 }, async () => 'mine');
      await expect(second).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('another process'),
      });
      return 'first';
    });
    expect(await waiting).toBe('first');
    expect(sleeps.length).toBeGreaterThan(5);
    expect(await withLock(folder, options, async () => 'third')).toBe('third');
  });

  it('is given back when the action fails', async () => {
    const folder = join(dir, 'failing');
    await expect(
      withLock(folder, options, async () => {
        throw new Error('inside');
      }),
    ).rejects.toThrow('inside');
    expect(await withLock(folder, { ...options, patienceMs: 0 }, async () => 'next')).toBe('next');
  });
});
