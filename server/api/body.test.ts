import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

const PATH = '/v2/models/m/infer';
const MIB = 2 ** 20;
const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });

let volume: TestVolume;
let server: TestServer;
let connection: RawConnection;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  server = await startTestServer(volume, { KEDGE_MAX_BODY_MB: '1' });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});
beforeEach(() => {
  connection = new RawConnection(server.port);
});
afterEach(() => connection.end());

/** A plain request on the same connection. */
async function answersNext(): Promise<void> {
  connection.write(postHead(PATH, { 'content-length': body.length }) + body);
  expect((await connection.answer())?.status).toBe(200);
}

const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;
const padded = (bytes: number): string => `${body}${' '.repeat(bytes - body.length)}`;

describe('a body', () => {
  it('may come in pieces, with its length or in chunks', async () => {
    connection.write(postHead(PATH, { 'content-length': body.length }));
    for (const byte of body) connection.write(byte);
    expect((await connection.answer())?.status).toBe(200);
    connection.write(postHead(PATH, { 'transfer-encoding': 'chunked' }));
    for (const byte of body) connection.write(chunk(byte));
    connection.write('0\r\n\r\n');
    expect((await connection.answer())?.status).toBe(200);
  });

  it('may be as large as the limit', async () => {
    connection.write(postHead(PATH, { 'content-length': MIB }) + padded(MIB));
    expect((await connection.answer())?.status).toBe(200);
    await answersNext();
  });

  it('of many thousand chunks is a body like others', async () => {
    connection.write(postHead(PATH, { 'transfer-encoding': 'chunked' }));
    connection.write([chunk(' ').repeat(65_537), chunk(body), '0\r\n\r\n'].join(''));
    expect((await connection.answer())?.status).toBe(200);
    await answersNext();
  });

  it('that nobody sent is empty', async () => {
    connection.write(postHead(PATH, { 'content-length': 0 }));
    expect(await connection.answer()).toMatchObject({ status: 400, body: expect.stringContaining('empty') });
    await answersNext();
  });
});

describe('a body over the limit is refused, and the connection stays usable', () => {
  const refused = { status: 413, body: expect.stringMatching(/limit of 1 MiB.*"code":"body-too-large"/) };

  it('by its declared length', async () => {
    connection.write(postHead(PATH, { 'content-length': MIB + 1 }) + padded(MIB + 1));
    expect(await connection.answer()).toMatchObject(refused);
    await answersNext();
  });

  it('by what came, where no length is declared', async () => {
    connection.write(postHead(PATH, { 'transfer-encoding': 'chunked' }));
    for (let sent = 0; sent <= MIB; sent += 2 ** 16) connection.write(chunk(' '.repeat(2 ** 16)));
    connection.write('0\r\n\r\n');
    expect(await connection.answer()).toMatchObject(refused);
    await answersNext();
  });

  it('at once, where it is far over it', async () => {
    connection.write(postHead(PATH, { 'content-length': 2 ** 40 }));
    expect(await connection.answer()).toMatchObject(refused);
  });

  it('of chunks without end', async () => {
    connection.write(postHead(PATH, { 'transfer-encoding': 'chunked' }));
    for (let sent = 0; sent <= 3 * MIB; sent += 2 ** 16) connection.write(chunk(' '.repeat(2 ** 16)));
    expect(await connection.answer()).toMatchObject(refused);
  });
});

describe('a content encoding', () => {
  it.each(['br', 'gzip, gzip', 'zstd', 'compress'])('%s is not supported, and told so', async (encoding) => {
    connection.write(postHead(PATH, { 'content-length': body.length, 'content-encoding': encoding }) + body);
    expect(await connection.answer()).toMatchObject({
      status: 501,
      head: expect.stringContaining('accept-encoding: gzip, deflate'),
      body: expect.stringContaining('encoding-unsupported'),
    });
    await answersNext();
  });

  const send = (packed: Buffer, encoding: string): void => {
    connection.write(postHead(PATH, { 'content-length': packed.length, 'content-encoding': encoding }));
    connection.write(packed);
  };

  it.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['identity', Buffer.from],
  ])('%s is taken', async (encoding, pack) => {
    send(pack(body), encoding);
    expect(await connection.answer()).toMatchObject({ status: 200, body: expect.stringContaining('[9]') });
    send(pack(padded(MIB)), encoding);
    expect((await connection.answer())?.status).toBe(200);
  });

  it.each<[string, string, Buffer, RegExp]>([
    ['gzip that is cut short', 'gzip', gzipSync(body).subarray(0, -12), /not gzip, or it is cut short/],
    ['deflate that is cut short', 'deflate', deflateSync(body).subarray(0, -6), /not deflate, or it is cut short/],
    ['what was never compressed', 'gzip', Buffer.from(body), /not gzip/],
    ['gzip named deflate', 'deflate', gzipSync(body), /not deflate/],
    ['nothing', 'gzip', Buffer.alloc(0), /not gzip/],
  ])('refuses %s', async (_what, encoding, packed, sentence) => {
    send(packed, encoding);
    expect(await connection.answer()).toMatchObject({ status: 400, body: expect.stringMatching(sentence) });
    await answersNext();
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('%s that would become larger than the limit is refused as such', async (encoding, pack) => {
    for (const bytes of [MIB + 1, 64 * MIB]) {
      send(pack(Buffer.alloc(bytes, ' ')), encoding);
      expect(await connection.answer()).toMatchObject({
        status: 413,
        body: expect.stringMatching(/limit of 1 MiB/),
      });
    }
    await answersNext();
  });
});

it('an unknown model is told before the body is sent', async () => {
  connection.write(postHead('/v2/models/nobody/infer', { 'content-length': 100 }));
  expect((await connection.answer())?.status).toBe(404);
});

it('a client that goes away in mid-body is counted as 499 and holds nothing', async () => {
  const stats = server.manager.model('m')!.active!;
  connection.write(postHead(PATH, { 'content-length': 100 }) + body.slice(0, 10));
  await vi.waitFor(async () => {
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    expect(text).toMatch(/^kedge_inflight_requests 1$/m);
  }, 5_000);
  connection.end();
  await vi.waitFor(async () => {
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    expect(text).toMatch(/^kedge_requests_total\{model="m",version="1",code="499"\} 1$/m);
    expect(text).toMatch(/^kedge_inflight_requests 0$/m);
  }, 5_000);
  expect(stats.isReady).toBe(true);
});
