import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import type { Clock } from '../platform/clock.ts';
import { type Fault, type FaultyS3, type Seen, startFaultyS3 } from '../tests/faulty-s3.ts';
import { hasS3Server, type S3Server, s3Options, startS3Server, withS3Server } from '../tests/s3-server.ts';
import { readIndex } from './index-file.ts';
import { inspect } from './inspect.ts';
import type { ObjectStore } from './object-store.ts';
import { openStore } from './open-store.ts';
import { publish } from './publish.ts';
import type { S3Options } from './s3-client.ts';
import { bytesOf, listKeys, readAll, readObject } from './testing/object-store-suite.ts';

/** For faults that end at once: a busy machine may take its time. */
const PATIENT: S3Options = { partBytes: 5 * 2 ** 20 };
/** For faults that a limit has to end. */
const IMPATIENT: S3Options = {
  ...PATIENT,
  timeouts: { connectMs: 500, answerMs: 400, idleMs: 400 },
  progress: { windowMs: 400, bytesPerSecond: 20_000 },
};

/** The first `count` requests that fit meet the fault. */
function first(count: number, fits: (seen: Seen) => boolean, fault: Fault): FaultyS3['plan'] {
  let left = count;
  return (seen) => (fits(seen) && left-- > 0 ? fault : undefined);
}
const always =
  (fault: Fault): FaultyS3['plan'] =>
  () =>
    fault;
const method = (name: string) => (seen: Seen) => seen.method === name;

describe.skipIf(!hasS3Server)(withS3Server('S3Store under faults'), () => {
  let server: S3Server;
  let proxy: FaultyS3;
  let dir: string;
  let count = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-faults-'));
    server = await startS3Server();
    proxy = await startFaultyS3(server.url);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  afterEach(() => {
    proxy.plan = () => undefined;
  });

  const open = (s3: S3Options = {}, clock?: Clock): ObjectStore =>
    openStore(`s3://${server.bucket}/faults/t${++count}`, {
      s3: { ...PATIENT, ...s3Options(proxy.url), ...s3 },
      ...(clock && { clock }),
    });

  describe('of the answers', () => {
    it.each([500, 502, 503])('bears two answers of %i', async (status) => {
      const store = open();
      proxy.plan = first(2, method('PUT'), { status, code: 'InternalError' });
      await store.put('a', bytesOf('x'), { create: true });
      proxy.plan = first(2, method('GET'), { status, code: 'InternalError' });
      expect((await readObject(store, 'a')).bytes.toString()).toBe('x');
    });

    it.each([
      ['500', { status: 500, code: 'InternalError' }, 500, /answered 500 InternalError.*Try again later/],
      ['SlowDown', { status: 503, code: 'SlowDown' }, 503, /answered 503 SlowDown.*Try again later/],
      ['403', { status: 403, code: 'AccessDenied' }, 403, /answered 403.*s3:ListBucket/],
      ['expired credentials', { status: 400, code: 'ExpiredToken' }, 400, /credentials have expired/],
      ['another region', { status: 301, code: 'PermanentRedirect' }, 301, /AWS_REGION/],
    ] as const)('takes %s for unreachable, never for empty or missing', async (_name, fault, status, sentence) => {
      const store = open();
      await store.put('m/1/model.onnx', bytesOf('x'), { create: true });
      proxy.plan = always(fault);
      const refusal = { code: 'bucket-unreachable', details: { status }, message: expect.stringMatching(sentence) };
      const attempts = [
        listKeys(store, ''),
        store.get('m/1/model.onnx'),
        store.put('m/1/other', bytesOf('x'), { create: true }),
        store.delete('m/1/model.onnx'),
      ];
      await Promise.all(attempts.map((attempt) => expect(attempt).rejects.toMatchObject(refusal)));
      // A HEAD has no body that could say more than the status.
      await expect(store.head('m/1/model.onnx')).rejects.toMatchObject({
        code: 'bucket-unreachable',
        details: { status },
      });
    });

    it('throws on a 403 midway through a listing', async () => {
      const store = open();
      // Straight into the folder of the server, because a thousand puts take long.
      for (let i = 1; i <= 1001; i++) {
        const folder = join(server.dir, 'faults', `t${count}`, 'm', String(i));
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, 'f'), '.');
      }
      expect(await listKeys(store, '')).toHaveLength(1001);
      proxy.plan = ({ url }) =>
        url.includes('continuation-token') ? { status: 403, code: 'AccessDenied' } : undefined;
      await expect(listKeys(store, '')).rejects.toMatchObject({ code: 'bucket-unreachable' });
    });

    it('never takes a listing that breaks off for a short one', async () => {
      const store = open(IMPATIENT);
      await Promise.all(Array.from({ length: 30 }, (_, i) => store.put(`m/${i + 1}/f`, bytesOf('.'), {})));
      for (const how of ['fin', 'reset', 'stall'] as const) {
        proxy.plan = always({ cut: 2000, how });
        await expect(listKeys(store, '')).rejects.toMatchObject({ code: 'bucket-unreachable' });
      }
    });

    it('repeats a put that met another one, and says so when that does not end', async () => {
      const sleeps: number[] = [];
      const clock: Clock = { now: () => Date.now(), sleep: async (ms) => void sleeps.push(ms) };
      const store = open({}, clock);
      const conflict = { status: 409, code: 'ConditionalRequestConflict' };
      proxy.plan = first(3, method('PUT'), conflict);
      await store.put('a', bytesOf('x'), { create: true });
      expect(sleeps).toHaveLength(3);
      expect(sleeps[2]).toBeGreaterThan(sleeps[0]!);
      proxy.plan = always(conflict);
      await expect(store.put('b', bytesOf('x'), { create: true })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('Try again'),
      });
    });
  });

  describe('of time', () => {
    it('ends a wait before the head', async () => {
      const store = open(IMPATIENT);
      proxy.plan = always({ hang: true });
      const refusal = { code: 'bucket-unreachable', message: expect.stringContaining('did not answer in time') };
      await expect(store.get('a')).rejects.toMatchObject(refusal);
      await expect(store.put('a', bytesOf('x'), { create: true })).rejects.toMatchObject(refusal);
    });

    it.each<[string, S3Options, Fault]>([
      ['a stall in the body', { progress: { windowMs: 60_000, bytesPerSecond: 1 } }, { cut: 100_000, how: 'stall' }],
      ['a drip', { timeouts: { ...IMPATIENT.timeouts, idleMs: 60_000 } }, { drip: 100, everyMs: 100 }],
    ])('ends %s, each by a limit of its own', async (_name, limits, fault) => {
      const store = open({ ...IMPATIENT, ...limits });
      await store.put('a', randomBytes(400_000), { create: true });
      proxy.plan = always(fault);
      await expect(readObject(store, 'a')).rejects.toMatchObject({ code: 'bucket-unreachable' });
    });

    it('does not take a slow reader for a slow store', async () => {
      const store = open({ progress: { windowMs: 50, bytesPerSecond: 1e12 } });
      await store.put('a', randomBytes(300_000), { create: true });
      const got = await store.get('a');
      if (got.status !== 'ok') throw new Error(got.status);
      let bytes = 0;
      for await (const chunk of got.body) {
        bytes += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      expect(bytes).toBe(300_000);
    });

    it('says that a server that stands still does not answer, and goes on when it does', async () => {
      const store = open({ ...IMPATIENT, endpoint: server.url });
      await store.put('a', bytesOf('x'), { create: true });
      await server.pause();
      await expect(store.head('a')).rejects.toMatchObject({ code: 'bucket-unreachable' }).finally(server.resume);
      expect((await store.head('a'))?.bytes).toBe(1);
    });
  });

  describe('of bodies', () => {
    it.each(['fin', 'reset'] as const)('tells of a body cut by %s, and the rest can be had', async (how) => {
      const store = open();
      const content = randomBytes(500_000);
      await store.put('a', content, { create: true });
      proxy.plan = first(1, method('GET'), { cut: 200_000, how });
      const got = await store.get('a');
      if (got.status !== 'ok') throw new Error(got.status);
      const chunks: Uint8Array[] = [];
      const reading = (async () => {
        for await (const chunk of got.body) chunks.push(chunk);
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'bucket-unreachable',
        message: expect.stringContaining('closed the connection before the end'),
      });
      const have = Buffer.concat(chunks);
      expect(have.length).toBeLessThanOrEqual(200_000);
      const rest = await store.get('a', { range: { offset: have.length }, ifMatch: got.info.etag });
      if (rest.status !== 'ok') throw new Error(rest.status);
      expect(Buffer.concat([have, await readAll(rest.body)]).equals(content)).toBe(true);
    });

    it('holds no connection of bodies that broke or were left', async () => {
      const store = open(IMPATIENT);
      await store.put('a', randomBytes(2 * 2 ** 20), { create: true });
      proxy.plan = ({ index }) => (index % 2 === 0 ? { cut: 100_000, how: 'stall' } : undefined);
      for (let i = 0; i < 6; i++) {
        const got = await store.get('a');
        if (got.status === 'ok') await readAll(got.body).catch(() => undefined);
        const left = await store.get('a');
        if (left.status === 'ok') for await (const _chunk of left.body) break;
      }
      await expect.poll(() => proxy.connections()).toBeLessThanOrEqual(1);
    });
  });

  describe('of answers that are lost', () => {
    it('takes its own create for the success that it was', async () => {
      const store = open();
      proxy.plan = first(1, method('PUT'), { lose: true });
      const { etag } = await store.put('m/1/claim.json', bytesOf('mine'), { create: true });
      expect(etag).toBe((await store.head('m/1/claim.json'))!.etag);
    });

    it('takes its own swap for the success that it was', async () => {
      const store = open();
      const before = await store.put('index.json', bytesOf('1'), { create: true });
      proxy.plan = first(1, method('PUT'), { lose: true });
      const { etag } = await store.put('index.json', bytesOf('2'), { ifMatch: before.etag });
      const { info, bytes } = await readObject(store, 'index.json');
      expect([info.etag, bytes.toString()]).toEqual([etag, '2']);
    });

    it('takes its own upload in parts for the success that it was', async () => {
      const store = open();
      const content = randomBytes(11 * 2 ** 20);
      await writeFile(join(dir, 'weights'), content);
      const isCompletion = ({ method, url }: Seen): boolean => method === 'POST' && url.includes('uploadId=');
      proxy.plan = first(1, isCompletion, { lose: true });
      const body = { file: join(dir, 'weights'), bytes: content.length };
      const { etag } = await store.put('m/1/weights', body, { create: true });
      const { info, bytes } = await readObject(store, 'm/1/weights');
      expect([info.etag, bytes.equals(content)]).toEqual([etag, true]);
      expect(proxy.seen.filter(isCompletion).length).toBeGreaterThan(1);
    });

    it('does not take the success of another for its own', async () => {
      const store = open();
      const other = await store.put('m/1/claim.json', bytesOf('other'), { create: true });
      proxy.plan = first(1, method('PUT'), { lose: true });
      const create = store.put('m/1/claim.json', bytesOf('mine!'), { create: true });
      await expect(create).rejects.toMatchObject({ code: 'conflict' });
      proxy.plan = first(1, method('PUT'), { lose: true });
      const swap = store.put('m/1/claim.json', bytesOf('mine!'), { ifMatch: `${other.etag.slice(0, -2)}x"` });
      await expect(swap).rejects.toMatchObject({ code: 'conflict' });
      expect((await readObject(store, 'm/1/claim.json')).bytes.toString()).toBe('other');
    });

    it('leaves nothing visible of an upload in parts that fails', async () => {
      const store = open();
      await writeFile(join(dir, 'partial'), randomBytes(11 * 2 ** 20));
      proxy.plan = ({ url }) => (url.includes('partNumber=2') ? { status: 403, code: 'AccessDenied' } : undefined);
      const put = store.put('m/1/partial', { file: join(dir, 'partial'), bytes: 11 * 2 ** 20 }, { create: true });
      await expect(put).rejects.toMatchObject({ code: 'bucket-unreachable', details: { status: 403 } });
      expect(await listKeys(store, '')).toEqual([]);
    });
  });

  describe('of a whole publish', () => {
    const source = async (): Promise<string> => {
      const file = join(dir, `model-${++count}.onnx`);
      await writeFile(file, linearModel());
      return file;
    };

    it('makes one version, though the first answer to every put is lost', async () => {
      const store = open();
      const lost = new Set<string>();
      proxy.plan = ({ method, url }) => {
        if (method !== 'PUT' || lost.has(url)) return undefined;
        lost.add(url);
        return { lose: true };
      };
      const published = await publish({ store, model: 'demand', source: await source() });
      proxy.plan = () => undefined;
      expect(lost.size).toBe(4);
      expect(published.version).toBe(1);
      expect((await readIndex(store))!.models[0]!.versions).toEqual([{ version: 1, digest: published.digest }]);
      expect((await inspect(store, 'demand', 1, { verify: true })).refusals).toEqual([]);
      expect(await listKeys(store, 'demand/2')).toEqual([]);
    });

    it.each(['claim.json', 'model.onnx', 'manifest.json', 'index.json'])(
      'ends at a 403 to the put of %s, and goes on later under the same name',
      async (name) => {
        const store = open();
        const file = await source();
        proxy.plan = ({ method, url }) =>
          method === 'PUT' && url.includes(name) ? { status: 403, code: 'AccessDenied' } : undefined;
        const attempt = publish({ store, model: 'demand', source: file, publisher: 'ci' });
        await expect(attempt).rejects.toMatchObject({ code: 'bucket-unreachable', details: { status: 403 } });
        proxy.plan = () => undefined;
        const again = await publish({ store, model: 'demand', source: file, publisher: 'ci' });
        expect(again).toMatchObject({ version: 1, resumed: name !== 'claim.json' });
        expect((await readIndex(store))!.models[0]!.versions).toEqual([{ version: 1, digest: again.digest }]);
      },
    );

    it('writes nothing where it cannot see what is there', async () => {
      const store = open();
      const from = proxy.seen.length;
      proxy.plan = ({ method }) => (method === 'GET' ? { status: 403, code: 'AccessDenied' } : undefined);
      const attempt = publish({ store, model: 'demand', source: await source() });
      await expect(attempt).rejects.toMatchObject({ code: 'bucket-unreachable' });
      expect(proxy.seen.slice(from).filter(({ method }) => method !== 'GET')).toEqual([]);
    });
  });

  describe('of configuration', () => {
    const attempts = (store: ObjectStore): [string, () => Promise<unknown>][] => [
      ['list', () => listKeys(store, '')],
      ['head', () => store.head('a')],
      ['get', () => store.get('a')],
      ['put', () => store.put('a', bytesOf('x'), { create: true })],
      ['swap', () => store.put('a', bytesOf('x'), { ifMatch: '"0"' })],
      ['delete', () => store.delete('a')],
    ];

    it('tells a missing bucket from a missing object', async () => {
      const store = openStore('s3://no-such-bucket', { s3: { ...PATIENT, ...server.s3 } });
      for (const [name, attempt] of attempts(store)) {
        const refusal = { code: 'bucket-unreachable', message: expect.stringContaining('no such bucket') };
        await expect(attempt(), name).rejects.toMatchObject(refusal);
      }
    });

    it.each([
      ['an unknown key', { accessKeyId: 'nobody', secretAccessKey: 'x' }, /access key is not known/],
      ['a wrong secret', { accessKeyId: 'kedgeaccess', secretAccessKey: 'x' }, /secret key does not fit/],
    ])('names %s', async (_name, credentials, sentence) => {
      const store = open({ endpoint: server.url, credentials });
      await expect(store.get('a')).rejects.toMatchObject({
        code: 'bucket-unreachable',
        message: expect.stringMatching(sentence),
      });
      for (const [name, attempt] of attempts(store))
        await expect(attempt(), name).rejects.toMatchObject({ code: 'bucket-unreachable' });
    });

    it('names an address where nobody listens, and one that does not exist', async () => {
      for (const endpoint of ['http://127.0.0.1:1', 'http://no-such-host.invalid']) {
        const store = open({ endpoint });
        await expect(store.get('a')).rejects.toMatchObject({
          code: 'bucket-unreachable',
          message: expect.stringMatching(/cannot be reached \((ECONNREFUSED|ENOTFOUND|EAI_AGAIN)\)/),
        });
      }
    });
  });
});
