import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { byteStrings } from '../testing/binary.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** What careless and hostile clients send. Each is refused, and the next request on the same connection is answered. */

const MIB = 2 ** 20;
let volume: TestVolume;
let server: TestServer;
let connection: RawConnection;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  volume.add('u8', 1, identityModel({ type: 'uint8' }));
  volume.add('bool', 1, identityModel({ type: 'bool' }));
  volume.add('i64', 1, identityModel({ type: 'int64' }));
  volume.add('f32', 1, identityModel());
  volume.add('text', 1, identityModel({ type: 'string' }));
  volume.add('grid', 1, identityModel({ dims: ['N', 'M'] }));
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

const good = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
const path = (model: string): string => `/v2/models/${model}/infer`;
const length = 'inference-header-content-length';

async function send(
  target: string,
  body: string | Uint8Array,
  headers: Record<string, string | number> = {},
): Promise<number | undefined> {
  const bytes = Buffer.from(body as string);
  connection.write(postHead(target, { 'content-length': bytes.length, ...headers }));
  connection.write(bytes);
  const answer = await connection.answer();
  if (answer && answer.status !== 200) {
    expect(answer.head).toMatch(/content-type: application\/json\r?$/m);
    expect(typeof JSON.parse(answer.body).error).toBe('string');
  }
  return answer?.status;
}

/** On the same connection. */
async function nextIsAnswered(): Promise<void> {
  expect(await send(path('m'), good)).toBe(200);
}

const tensor = (shape: string, data: string, datatype = 'FP32', more = ''): string =>
  `{"inputs":[{"name":"x","datatype":"${datatype}","shape":${shape},"data":${data}${more}}]}`;

describe('6.2 tensors', () => {
  it.each<[string, string, string]>([
    ['a shape whose product overflows', 'grid', tensor('[16,1152921504606846978]', '[1]')],
    ['a shape whose product overflows in 32 bits', 'grid', tensor('[65536,65536]', '[1]')],
    ['a negative dimension', 'grid', tensor('[-1,2]', '[1,2]')],
    ['a dimension that is a fraction', 'grid', tensor('[1.5,2]', '[1,2,3]')],
    ['a dimension that is text', 'grid', tensor('["1",2]', '[1,2]')],
    ['a dimension that is null', 'grid', tensor('[null,2]', '[1,2]')],
    ['a dimension over 2^31', 'grid', tensor('[2147483648,1]', '[1]')],
    ['a dimension over 2^64', 'grid', tensor('[18446744073709551616,1]', '[1]')],
    ['a shape that is no array', 'grid', tensor('{"0":1}', '[1]')],
    ['a zero dimension with data', 'grid', tensor('[0,2]', '[1,2]')],
    ['too few elements', 'm', tensor('[1,2]', '[1]')],
    ['too many elements', 'm', tensor('[1,2]', '[1,2,3]')],
    ['an input twice', 'm', good.replace('[{', `[${good.slice(11, -2)},{`)],
    ['an output twice', 'm', good.replace(/}$/, ',"outputs":[{"name":"y"},{"name":"y"}]}')],
    ['data beside binary_data_size', 'm', tensor('[1,2]', '[1,2]', 'FP32', ',"parameters":{"binary_data_size":8}')],
    ['an unknown input', 'm', good.replace('"x"', '"z"')],
    ['a missing input', 'm', '{"inputs":[]}'],
    ['1.5 as INT64', 'i64', tensor('[1]', '[1.5]', 'INT64')],
    ['2^63 as INT64', 'i64', tensor('[1]', '[9223372036854775808]', 'INT64')],
    ['256 as UINT8', 'u8', tensor('[1]', '[256]', 'UINT8')],
    ['-1 as UINT8', 'u8', tensor('[1]', '[-1]', 'UINT8')],
    ['2 as BOOL', 'bool', tensor('[1]', '[2]', 'BOOL')],
    ['half a surrogate pair', 'text', tensor('[1]', '["\\ud800"]', 'BYTES')],
    ['an object as data', 'm', tensor('[1,2]', '{"length":2,"0":1,"1":2}')],
    ['an array in the place of an element', 'f32', tensor('[1]', '[[1]]')],
  ])('%s', async (_what, model, body) => {
    expect(await send(path(model), body)).toBe(400);
    await nextIsAnswered();
  });

  it.each<[string, string, string]>([
    ['zero rows', 'm', tensor('[0,2]', '[]')],
    ['NaN, Infinity and -0', 'f32', tensor('[4]', '[NaN,Infinity,-Infinity,-0]')],
    ['the same as strings', 'f32', tensor('[3]', '["NaN","Infinity","-Infinity"]')],
    ['9007199254740993 as INT64', 'i64', tensor('[1]', '[9007199254740993]', 'INT64')],
    ['1 and 0 as BOOL', 'bool', tensor('[2]', '[1,0]', 'BOOL')],
    ['NUL in a string', 'text', tensor('[1]', '["a\\u0000b"]', 'BYTES')],
  ])('%s is no fault', async (_what, model, body) => expect(await send(path(model), body)).toBe(200));
});

describe('6.2 bodies', () => {
  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['null', 'null'],
    ['[]', '[]'],
    ['"x"', '"x"'],
    ['a number', '7'],
    ['120 levels deep', `{"a":${'['.repeat(119)}${']'.repeat(119)}}`],
    ['250,000 levels deep', `${'{"a":['.repeat(125_000)}`],
    ['invalid UTF-8', Buffer.from(good.replace('x', '\xff'), 'latin1')],
    ['an overlong NUL', Buffer.concat([Buffer.from('{"'), Buffer.from([0xc0, 0x80]), Buffer.from('":1}')])],
    ['truncated JSON', good.slice(0, -5)],
    ['NUL in the JSON', `${good}\0`],
  ])('%s', async (_what, body) => {
    expect(await send(path('m'), body)).toBe(400);
    await nextIsAnswered();
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'the key %s is a key like any other',
    async (key) => {
      const evil = `{"${key}":{"inputs":[],"id":"evil","binary_data_output":true},`;
      expect(await send(path('m'), evil + good.slice(1))).toBe(200);
      expect(await send(path('m'), `{"parameters":${evil.slice(0, -1)}},${good.slice(1)}`)).toBe(200);
      expect(await send(path('m'), good.replace('"x"', `"${key}"`))).toBe(400);
      expect(await send(path('m'), good.replace('FP32', key))).toBe(400);
      expect(await send(path('m'), good.replace(/}$/, `,"outputs":[{"name":"${key}"}]}`))).toBe(400);
      expect(await send(path(key), good)).toBe(404);
      expect(Object.hasOwn(Object.prototype, 'inputs')).toBe(false);
      await nextIsAnswered();
    },
  );

  it('65,537 chunks of one byte', async () => {
    const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;
    connection.write(postHead(path('m'), { 'transfer-encoding': 'chunked' }));
    connection.write([chunk(' ').repeat(65_537), chunk(good), '0\r\n\r\n'].join(''));
    expect((await connection.answer())?.status).toBe(200);
    await nextIsAnswered();
  });

  it('a gzip bomb, of one layer and of two', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB, ' '), { level: 9 });
    expect(bomb.length).toBeLessThan(MIB);
    expect(await send(path('m'), bomb, { 'content-encoding': 'gzip' })).toBe(413);
    expect(await send(path('m'), gzipSync(bomb), { 'content-encoding': 'gzip, gzip' })).toBe(501);
    expect(await send(path('m'), gzipSync(bomb), { 'content-encoding': 'gzip' })).toBe(400);
    await nextIsAnswered();
  });

  it.each<[string, (bytes: string) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])(
    'truncated %s, %s with a changed byte or with bytes behind it, and text that says it is %s',
    async (encoding, pack) => {
      const packed = pack(good);
      const changed = Buffer.from(packed);
      changed[changed.length - 2]! ^= 0xff;
      for (const cut of [1, 10, 30, packed.length - 1])
        expect([cut, await send(path('m'), packed.subarray(0, cut), { 'content-encoding': encoding })]).toEqual([
          cut,
          400,
        ]);
      expect(await send(path('m'), changed, { 'content-encoding': encoding })).toBe(400);
      expect(await send(path('m'), good, { 'content-encoding': encoding })).toBe(400);
      expect(await send(path('m'), '', { 'content-encoding': encoding })).toBe(400);
      await nextIsAnswered();
    },
  );

  it('the limit and a byte', async () => {
    expect(await send(path('m'), good.padEnd(MIB))).toBe(200);
    expect(await send(path('m'), good.padEnd(MIB + 1))).toBe(413);
    await nextIsAnswered();
  });

  it('the limit and a byte, once unpacked', async () => {
    expect(await send(path('m'), gzipSync(good.padEnd(MIB)), { 'content-encoding': 'gzip' })).toBe(200);
    expect(await send(path('m'), gzipSync(good.padEnd(MIB + 1)), { 'content-encoding': 'gzip' })).toBe(413);
    await nextIsAnswered();
  });

  it('the limit and a byte, in chunks that do not say how many there will be', async () => {
    const chunked = async (total: number): Promise<number | undefined> => {
      const body = good.padEnd(total);
      const sender = new RawConnection(server.port);
      sender.write(postHead(path('m'), { 'transfer-encoding': 'chunked' }));
      for (let at = 0; at < total; at += 65_536) {
        const piece = body.slice(at, at + 65_536);
        sender.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      }
      sender.write('0\r\n\r\n');
      const answer = await sender.answer();
      sender.end();
      return answer?.status;
    };
    expect(await chunked(MIB)).toBe(200);
    expect(await chunked(MIB + 1)).toBe(413);
    await nextIsAnswered();
  });
});

describe('6.2 binary tensors', () => {
  const head = (size: string, datatype = 'FP32', shape = '[1,2]'): string =>
    `{"inputs":[{"name":"x","datatype":"${datatype}","shape":${shape},"parameters":{"binary_data_size":${size}}}]}`;
  const eight = Buffer.alloc(8);

  it.each(['99999999999', '-1', 'abc', '1e3', '5000', '0x10', '1.0', ' ', '+5'])(
    'a header length of %j',
    async (value) => {
      const body = Buffer.concat([Buffer.from(head('8')), eight]);
      expect(await send(path('m'), body, { [length]: value })).toBe(400);
      await nextIsAnswered();
    },
  );

  it('the header with a body of JSON alone is no fault, unless it cuts it', async () => {
    expect(await send(path('m'), good, { [length]: good.length })).toBe(200);
    expect(await send(path('m'), good, { [length]: good.length - 1 })).toBe(400);
    await nextIsAnswered();
  });

  it.each(['0', '-1', 'NaN', '1e400', '"8"', '8.5', '4', '16', '99999999999999999999', 'true', '[8]'])(
    'a size of %s',
    async (size) => {
      const json = head(size);
      expect(await send(path('m'), json + '\0'.repeat(8), { [length]: json.length })).toBe(400);
      await nextIsAnswered();
    },
  );

  it.each([
    ['beyond the buffer', Buffer.from([255, 255, 255, 127, 97])],
    ['of 2^32 - 1', Buffer.from([255, 255, 255, 255])],
    ['cut short', Buffer.from([1, 0])],
    ['with bytes behind it', Buffer.concat([byteStrings('a'), Buffer.from([1])])],
  ])('a length of a string %s', async (_what, blob) => {
    const json = head(String(blob.length), 'BYTES', '[1]');
    expect(await send(path('text'), Buffer.concat([Buffer.from(json), blob]), { [length]: json.length })).toBe(400);
    await nextIsAnswered();
  });
});

describe('6.2 names and versions', () => {
  it.each([
    '..',
    '%20..',
    'a/../b',
    '%2e%2e',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '..%5c..',
    'm%2f',
    '%20',
    'm%20',
    'm%00',
    '%ff',
    '%',
    'x'.repeat(300),
    'M',
  ])('the model %j', async (name) => {
    expect(await send(path(name), good)).toBe(404);
    await nextIsAnswered();
  });

  it.each(['01', '-1', '1.0', 'latest', '9223372036854775808', '0', '1e0', '%31x', '+1', '１'])(
    'the version %j',
    async (version) => {
      expect(await send(encodeURI(`/v2/models/m/versions/${version}/infer`).replace('%25', '%'), good)).toBe(404);
      await nextIsAnswered();
    },
  );
});

describe('6.2 clients', () => {
  it('a slow one does not keep the others waiting', async () => {
    const slow = new RawConnection(server.port);
    slow.write(postHead(path('m'), { 'content-length': good.length }));
    slow.write(good.slice(0, 20));
    const slowHead = new RawConnection(server.port);
    slowHead.write('POST /v2/models/m/infer HTTP/1.1\r\nHost: k');
    for (let count = 0; count < 20; count += 1) await nextIsAnswered();
    slow.write(good.slice(20));
    expect((await slow.answer())?.status).toBe(200);
    slow.end();
    slowHead.end();
  });

  it('a hundred slow ones, each with a byte of its head now and then, do not either', async () => {
    const head = Buffer.from(postHead(path('m'), { 'content-length': good.length }));
    const slow = Array.from({ length: 100 }, () => new RawConnection(server.port));
    for (let at = 0; at < 30; at += 1) {
      for (const one of slow) one.write(head.subarray(at, at + 1));
      await nextIsAnswered();
    }
    for (const one of slow) one.write(Buffer.concat([head.subarray(30), Buffer.from(good)]));
    for (const one of slow) {
      expect((await one.answer())?.status).toBe(200);
      one.end();
    }
  });

  it('one that aborts in the middle of its inference leaves nothing behind', async () => {
    for (let count = 0; count < 20; count += 1) {
      const gone = new RawConnection(server.port);
      gone.write(postHead(path('m'), { 'content-length': good.length }) + good);
      if (count % 2 === 0) await new Promise((resolve) => gone.socket.once('connect', resolve));
      gone.end();
    }
    await nextIsAnswered();
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    expect(text).toMatch(/^kedge_inflight_requests 0$/m);
  });

  it('one that speaks no HTTP', async () => {
    const odd = new RawConnection(server.port);
    odd.write('\x16\x03\x01\x02\x00 hello\r\n\r\n');
    expect((await odd.answer())?.status).toBe(400);
    odd.end();
    await nextIsAnswered();
  });
});
