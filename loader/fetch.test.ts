import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../contract/manifest.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { openStore } from '../registry/open-store.ts';
import { overriding } from '../registry/testing/overriding.ts';
import { type Fault, type FaultyS3, startFaultyS3 } from '../tests/faulty-s3.ts';
import { hasS3Server, type S3Server, s3Options, startS3Server, withS3Server } from '../tests/s3-server.ts';
import type { ViewFile } from './bucket-view.ts';
import { fetchFiles } from './fetch.ts';
import { createScratch, mountSmall } from './testing/scratch.ts';

const scratch = createScratch();
afterAll(() => scratch.remove());

const hurried: Clock = { now: systemClock.now, sleep: () => Promise.resolve() };
const sum = (bytes: Uint8Array): string => digestOf(bytes).slice('sha256:'.length);
const bytesOf = (length: number, seed: number): Buffer => Buffer.alloc(length, `${seed} is the seed of these bytes. `);

let count = 0;
async function run(store: ObjectStore, files: readonly ViewFile[], parts: { signal?: AbortSignal; dir?: string } = {}) {
  const dir = parts.dir ?? scratch.folder(`fetch-${++count}`);
  let bytes = 0;
  let retries = 0;
  const sums = await fetchFiles(store, 'm/1/', files, dir, {
    clock: hurried,
    random: () => 0,
    signal: parts.signal,
    onBytes: (more) => {
      bytes += more;
    },
    onRetry: () => {
      retries += 1;
    },
  });
  return { sums, bytes, retries, read: (path: string) => readFileSync(join(dir, path)) };
}

async function stored(store: ObjectStore, contents: Record<string, Buffer>): Promise<ViewFile[]> {
  for (const [path, content] of Object.entries(contents)) await store.put(`m/1/${path}`, content, {});
  const files: ViewFile[] = [];
  for await (const page of store.list('m/1/'))
    for (const { key, ...info } of page) files.push({ path: key.slice('m/1/'.length), ...info });
  return files.filter(({ path }) => path in contents);
}

describe('from a folder', () => {
  it('brings every file with its sha256, empty ones and nested ones too', async () => {
    const store = openStore(`file://${scratch.folder('bucket')}`);
    const contents = { 'model.onnx': bytesOf(300_000, 1), 'w/a.bin': bytesOf(70_000, 2), 'empty.bin': Buffer.alloc(0) };
    const { sums, bytes, read } = await run(store, await stored(store, contents));
    expect(bytes).toBe(370_000);
    for (const [path, content] of Object.entries(contents)) {
      expect(sums.get(path)).toBe(sum(content));
      expect(read(path).equals(content)).toBe(true);
    }
  });

  it('a file that changed or went since it was listed is not taken', async () => {
    const store = openStore(`file://${scratch.folder('bucket-2')}`);
    const files = await stored(store, { 'model.onnx': bytesOf(10, 1), 'empty.bin': Buffer.alloc(0) });
    await store.put('m/1/model.onnx', bytesOf(11, 1), {});
    await expect(run(store, files)).rejects.toMatchObject({ code: 'object-changed' });
    await store.delete('m/1/model.onnx');
    await expect(run(store, files)).rejects.toMatchObject({ code: 'object-missing' });
    await store.put('m/1/empty.bin', bytesOf(1, 1), {});
    await expect(run(store, files.slice(0, 1))).rejects.toMatchObject({ code: 'object-changed' });
  });

  it('ends with the reason of its signal', async () => {
    const store = openStore(`file://${scratch.folder('bucket-3')}`);
    const files = await stored(store, { 'model.onnx': bytesOf(10, 1) });
    const reason = new Error('enough');
    await expect(run(store, files, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  const dir = scratch.folder('small');
  const small = mountSmall(dir, 65_536);
  afterAll(() => small?.unmount());
  const left = small ? '' : ' (left out: no file system can be mounted here)';
  it.skipIf(!small)(`a volume that fills up says so${left}`, async () => {
    const store = openStore(`file://${scratch.folder('bucket-4')}`);
    const files = await stored(store, { 'model.onnx': bytesOf(200_000, 1) });
    await expect(run(store, files, { dir })).rejects.toMatchObject({
      code: 'volume-failed',
      details: { code: 'ENOSPC' },
      message: expect.stringMatching(/full: make it larger/),
    });
  });
});

describe.skipIf(!hasS3Server)(withS3Server('from S3 under faults'), () => {
  let server: S3Server;
  let proxy: FaultyS3;
  let store: ObjectStore;
  let files: ViewFile[];
  const content = bytesOf(2_000_000, 3);
  /** The faults of the coming gets, in order. */
  let faults: (Fault | undefined)[] = [];
  beforeAll(async () => {
    server = await startS3Server();
    proxy = await startFaultyS3(server.url, ({ method, url }) =>
      method === 'GET' && url.includes('model.onnx') ? faults.shift() : undefined,
    );
    const timeouts = { idleMs: 300, answerMs: 2_000 };
    store = openStore(`s3://${server.bucket}`, { s3: { ...s3Options(proxy.url), timeouts } });
    files = await stored(store, { 'model.onnx': content });
  });
  afterEach(() => {
    faults = [];
  });
  afterAll(async () => {
    store?.close();
    await proxy?.close();
    await server?.stop();
  });

  const cut = (at: number, how: 'fin' | 'reset' | 'stall'): Fault => ({ cut: at, how });
  it.each<[string, Fault[]]>([
    ['closed', [cut(700_000, 'fin')]],
    ['reset', [cut(700_000, 'reset')]],
    ['silent', [cut(700_000, 'stall')]],
    ['broken off again and again', [1, 2, 3, 4, 5, 6, 7].map(() => cut(200_000, 'reset'))],
    ['refused at times', Array.from({ length: 7 }, () => ({ status: 503, code: 'SlowDown' }))],
  ])('a transfer that is %s goes on where it stopped', async (_what, plan) => {
    faults = [...plan];
    const { sums, bytes, retries, read } = await run(store, files);
    expect(sums.get('model.onnx')).toBe(sum(content));
    expect(read('model.onnx').equals(content)).toBe(true);
    expect(bytes).toBe(content.length);
    expect(retries).toBeGreaterThan(0);
  });

  it('gives up after several failures without a byte between, in bounded requests', async () => {
    const before = proxy.seen.length;
    faults = Array.from({ length: 100 }, () => ({ status: 500, code: 'InternalError' }));
    await expect(run(store, files)).rejects.toMatchObject({ code: 'bucket-unreachable', details: { status: 500 } });
    expect(proxy.seen.length - before).toBeLessThanOrEqual(15);
  });

  it('a wrong bit shows in the sha256', async () => {
    faults = [{ flip: 123_456 }];
    const { sums } = await run(store, files);
    expect(sums.get('model.onnx')).not.toBe(sum(content));
  });

  it('an object that is replaced between two parts is not mixed', async () => {
    faults = [cut(700_000, 'reset')];
    let replaced = false;
    const swap = overriding(store, {
      get: async (key, options) => {
        if (options?.range && !replaced) {
          replaced = true;
          await store.put(key, bytesOf(2_000_000, 4), {});
        }
        return store.get(key, options);
      },
    });
    await expect(run(swap, files)).rejects.toMatchObject({ code: 'object-changed' });
    expect(replaced).toBe(true);
  });
});
