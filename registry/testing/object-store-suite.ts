import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys } from '../keys.ts';
import type { ObjectInfo, ObjectStore } from '../object-store.ts';

export const bytesOf = (text: string): Uint8Array => Buffer.from(text);

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function readObject(store: ObjectStore, key: string): Promise<{ info: ObjectInfo; bytes: Buffer }> {
  const got = await store.get(key);
  if (got.status !== 'ok') throw new Error(`${key} is ${got.status}`);
  return { info: got.info, bytes: await readAll(got.body) };
}

async function listPages(store: ObjectStore, prefix: string): Promise<ObjectInfo[][]> {
  const pages: ObjectInfo[][] = [];
  for await (const page of store.list(prefix)) pages.push(page);
  return pages;
}

export async function listKeys(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await listPages(store, prefix)).flat().map(({ key }) => key);
}

/** Opens a store of its own for each test; each lies under another prefix or folder. */
export type OpenTestStore = (name: string) => Promise<ObjectStore>;

/** What every ObjectStore does. `hasPages`: the number of keys that surely makes more than one page. */
export function describeObjectStore(title: string, open: OpenTestStore, { hasPages }: { hasPages: number }): void {
  describe(title, () => {
    let dir: string;
    let count = 0;
    const openNew = (): Promise<ObjectStore> => open(`t${++count}`);
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'kedge-suite-'));
    });
    afterAll(() => rm(dir, { recursive: true, force: true }));

    it('puts, heads, gets and lists the same', async () => {
      const store = await openNew();
      const before = Math.floor(Date.now() / 1000) * 1000;
      const { etag } = await store.put('demand/8/model.onnx', bytesOf('weights'), { create: true });
      const head = await store.head('demand/8/model.onnx');
      expect(head).toEqual({ key: 'demand/8/model.onnx', bytes: 7, etag, modifiedAt: expect.any(Number) });
      expect(head!.modifiedAt).toBeGreaterThanOrEqual(before - 1000);
      expect(head!.modifiedAt).toBeLessThanOrEqual(Date.now() + 1000);
      const { info, bytes } = await readObject(store, 'demand/8/model.onnx');
      expect(info).toEqual(head);
      expect(bytes.toString()).toBe('weights');
      expect(await listPages(store, '')).toEqual([[head]]);
    });

    it('keeps binary bytes, and none at all', async () => {
      const store = await openNew();
      const binary = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(70_000)]);
      await store.put('binary', binary, { create: true });
      await store.put('empty', new Uint8Array(0), { create: true });
      expect((await readObject(store, 'binary')).bytes.equals(binary)).toBe(true);
      const empty = await readObject(store, 'empty');
      expect([empty.info.bytes, empty.bytes.length]).toEqual([0, 0]);
    });

    it('bears blanks, signs and other scripts in keys', async () => {
      const store = await openNew();
      const keys = [
        'a b/1/x y.bin',
        'm/1/50%+&=?#.bin',
        "m/1/it's (1).bin",
        'm/1/größe.bin',
        'm/1/模型.bin',
        'm/1/🚲.bin',
      ];
      for (const key of keys) await store.put(key, bytesOf(key), { create: true });
      expect(await listKeys(store, '')).toEqual(keys.toSorted(compareKeys));
      for (const key of keys) expect((await readObject(store, key)).bytes.toString()).toBe(key);
    });

    it.each([
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      'a/./b',
      'a\\b',
      'a\u0000b',
      'a\nb',
      `${'x'.repeat(300)}/y`,
      '\ud800',
    ])('refuses the key %j', async (key) => {
      const store = await openNew();
      const refusal = expect.objectContaining({ code: 'path-invalid' });
      await expect(store.get(key)).rejects.toEqual(refusal);
      await expect(store.head(key)).rejects.toEqual(refusal);
      await expect(store.put(key, bytesOf('x'), {})).rejects.toEqual(refusal);
      await expect(store.delete(key)).rejects.toEqual(refusal);
    });

    it('says missing, and never that of an error', async () => {
      const store = await openNew();
      expect(await store.head('no/1/thing')).toBeUndefined();
      expect(await store.get('no/1/thing')).toEqual({ status: 'missing' });
      expect(await listPages(store, 'no/')).toEqual([]);
      await store.delete('no/1/thing');
    });

    it('lists by prefix, in the order of keys', async () => {
      const store = await openNew();
      const keys = ['b/10/f', 'b/2/f', 'b/1/f', 'b-x/1/f', 'b.x/1/f', 'a/1/f', 'c', 'b/1/sub/f'];
      for (const key of keys) await store.put(key, bytesOf('.'), { create: true });
      expect(await listKeys(store, '')).toEqual(keys.toSorted(compareKeys));
      expect(await listKeys(store, 'b/')).toEqual(['b/1/f', 'b/1/sub/f', 'b/10/f', 'b/2/f']);
      expect(await listKeys(store, 'b/1')).toEqual(['b/1/f', 'b/1/sub/f', 'b/10/f']);
      expect(await listKeys(store, 'b')).toEqual(['b-x/1/f', 'b.x/1/f', 'b/1/f', 'b/1/sub/f', 'b/10/f', 'b/2/f']);
      expect(await listKeys(store, 'b/1/f')).toEqual(['b/1/f']);
    });

    it('lists in pages, none lost and none twice', async () => {
      const store = await openNew();
      const keys = Array.from({ length: hasPages }, (_, i) => `m/${i}/f`);
      for (let i = 0; i < keys.length; i += 50)
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, bytesOf('.'), {})));
      const pages = await listPages(store, '');
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.flat().map(({ key }) => key)).toEqual(keys.toSorted(compareKeys));
    }, 60_000);

    it('answers a conditional get', async () => {
      const store = await openNew();
      const first = await store.put('index.json', bytesOf('one'), { create: true });
      expect(await store.get('index.json', { ifNoneMatch: first.etag })).toEqual({ status: 'not-modified' });
      const second = await store.put('index.json', bytesOf('two'), { ifMatch: first.etag });
      expect(second.etag).not.toBe(first.etag);
      const changed = await store.get('index.json', { ifNoneMatch: first.etag });
      expect(changed.status === 'ok' && (await readAll(changed.body)).toString()).toBe('two');
      await expect(store.get('index.json', { ifMatch: first.etag })).rejects.toMatchObject({ code: 'object-changed' });
    });

    it('answers ranges', async () => {
      const store = await openNew();
      const { etag } = await store.put('digits', bytesOf('0123456789'), { create: true });
      const range = async (offset: number, length?: number): Promise<[string, number]> => {
        const got = await store.get('digits', {
          range: { offset, ...(length !== undefined && { length }) },
          ifMatch: etag,
        });
        if (got.status !== 'ok') throw new Error(got.status);
        return [(await readAll(got.body)).toString(), got.info.bytes];
      };
      expect(await range(0)).toEqual(['0123456789', 10]);
      expect(await range(0, 1)).toEqual(['0', 10]);
      expect(await range(3, 4)).toEqual(['3456', 10]);
      expect(await range(8, 100)).toEqual(['89', 10]);
      expect(await range(9)).toEqual(['9', 10]);
      await expect(range(10)).rejects.toMatchObject({ code: 'object-changed' });
      await expect(range(0, 0)).rejects.toMatchObject({ code: 'internal' });
    });

    it('creates for one of twenty at once', async () => {
      const store = await openNew();
      const racers = Array.from({ length: 20 }, (_, i) => `racer ${i}`);
      const outcomes = await Promise.allSettled(
        racers.map((name) => store.put('m/1/claim.json', bytesOf(name), { create: true })),
      );
      const winners = racers.filter((_, i) => outcomes[i]!.status === 'fulfilled');
      const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
      expect([winners.length, new Set(reasons)]).toEqual([1, new Set(['conflict'])]);
      expect((await readObject(store, 'm/1/claim.json')).bytes.toString()).toBe(winners[0]);
    });

    it('swaps for twenty at once, and loses none', async () => {
      const store = await openNew();
      await store.put('count', bytesOf('0'), { create: true });
      const increment = async (): Promise<void> => {
        for (;;) {
          const { info, bytes } = await readObject(store, 'count').catch(() => ({ info: undefined, bytes: undefined }));
          if (!info) continue;
          const next = bytesOf(String(Number(bytes.toString()) + 1));
          const done = await store.put('count', next, { ifMatch: info.etag }).catch((error) => {
            if (error.code !== 'conflict') throw error;
            return undefined;
          });
          if (done) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      expect((await readObject(store, 'count')).bytes.toString()).toBe('20');
    }, 60_000);

    it('neither creates over an object nor swaps a missing one', async () => {
      const store = await openNew();
      const { etag } = await store.put('a', bytesOf('1'), { create: true });
      await expect(store.put('a', bytesOf('1'), { create: true })).rejects.toMatchObject({ code: 'conflict' });
      await expect(store.put('b', bytesOf('1'), { ifMatch: etag })).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.put('a', bytesOf('2'), {})).etag).toBe((await store.head('a'))!.etag);
      await expect(store.put('a', bytesOf('3'), { ifMatch: etag })).rejects.toMatchObject({ code: 'conflict' });
      expect((await readObject(store, 'a')).bytes.toString()).toBe('2');
    });

    it('deletes, on a condition too', async () => {
      const store = await openNew();
      const old = await store.put('m/1/a', bytesOf('1'), { create: true });
      const { etag } = await store.put('m/1/a', bytesOf('22'), {});
      await expect(store.delete('m/1/a', { ifMatch: old.etag })).rejects.toMatchObject({ code: 'conflict' });
      await store.delete('m/1/a', { ifMatch: etag });
      expect(await listKeys(store, '')).toEqual([]);
      await store.delete('m/1/a');
      await store.delete('m/1/a', { ifMatch: etag });
      await store.put('m/1/a', bytesOf('3'), { create: true });
    });

    it('puts a large file, and tells of its progress', async () => {
      const store = await openNew();
      const content = randomBytes(20 * 2 ** 20);
      const file = join(dir, 'large');
      await writeFile(file, content);
      const progress: number[] = [];
      const { etag } = await store.put(
        'm/1/weights.bin',
        { file, bytes: content.length },
        { create: true },
        { onProgress: (bytes) => progress.push(bytes) },
      );
      expect(progress.length).toBeGreaterThan(1);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(progress.at(-1)).toBe(content.length);
      const stored = await readObject(store, 'm/1/weights.bin');
      expect([stored.info.etag, stored.bytes.equals(content)]).toEqual([etag, true]);
      const again = store.put('m/1/weights.bin', { file, bytes: content.length }, { create: true });
      await expect(again).rejects.toMatchObject({ code: 'conflict' });
      const other = store.put('m/1/other.bin', { file, bytes: content.length + 1 }, { create: true });
      await expect(other).rejects.toMatchObject({ code: 'object-changed' });
      const none = store.put('m/1/none.bin', { file: join(dir, 'none'), bytes: 1 }, { create: true });
      await expect(none).rejects.toMatchObject({ code: 'source-invalid' });
      expect(await listKeys(store, '')).toEqual(['m/1/weights.bin']);
    }, 60_000);

    it('frees what it holds when a reader leaves early', async () => {
      const store = await openNew();
      const content = randomBytes(3 * 2 ** 20);
      await store.put('big', content, { create: true });
      for (let i = 0; i < 70; i++) {
        const got = await store.get('big');
        if (got.status !== 'ok') throw new Error(got.status);
        // Half of them leave after a first chunk, half without having read at all.
        if (i % 2 === 0) for await (const _chunk of got.body) break;
        else await got.body[Symbol.asyncIterator]().return?.();
      }
      expect((await readObject(store, 'big')).bytes.equals(content)).toBe(true);
    });

    it('stops for a signal, with its reason', async () => {
      const store = await openNew();
      await store.put('big', randomBytes(3 * 2 ** 20), { create: true });
      const reason = new Error('enough');
      const aborted = AbortSignal.abort(reason);
      await expect(store.head('big', { signal: aborted })).rejects.toBe(reason);
      await expect(store.get('big', { signal: aborted })).rejects.toBe(reason);
      await expect(store.put('new', bytesOf('x'), { create: true }, { signal: aborted })).rejects.toBe(reason);
      await expect(listWith(store, aborted)).rejects.toBe(reason);
      const controller = new AbortController();
      const got = await store.get('big', { signal: controller.signal });
      if (got.status !== 'ok') throw new Error(got.status);
      const reading = (async () => {
        for await (const _chunk of got.body) controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
      expect(await listKeys(store, '')).toEqual(['big']);
    });
  });
}

async function listWith(store: ObjectStore, signal: AbortSignal): Promise<void> {
  for await (const _page of store.list('', { signal })) return;
}
