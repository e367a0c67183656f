import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ElementName, encodeModel } from '../../contract/onnx/encode.ts';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { type BinaryAnswer, binaryRequest, byteStrings, bytesOf, postBinary, readAnswer } from '../testing/binary.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** p = a, q = b, of two types: so that the order of inputs and of outputs shows. */
const twoTypes = encodeModel({
  irVersion: 8,
  opsets: { '': 15 },
  inputs: [
    { name: 'a', type: 'float', dims: ['N'] },
    { name: 'b', type: 'int64', dims: ['N'] },
  ],
  outputs: [
    { name: 'p', type: 'float', dims: ['N'] },
    { name: 'q', type: 'int64', dims: ['N'] },
  ],
  nodes: [
    { type: 'Identity', inputs: ['a'], outputs: ['p'] },
    { type: 'Identity', inputs: ['b'], outputs: ['q'] },
  ],
});

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.add('two', 1, twoTypes);
  volume.add('matrix', 1, identityModel({ dims: ['N', 'M'] }));
  const types: ElementName[] = ['bool', 'uint8', 'uint16', 'uint32', 'uint64', 'int8', 'int16', 'int32', 'int64'];
  for (const type of [...types, 'float16', 'float', 'double', 'string'] as ElementName[]) {
    volume.add(`echo-${type}`, 1, identityModel({ type }));
  }
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const url = (model: string): string => `${server.url}/v2/models/${model}/infer`;
const f32 = (...values: number[]): Buffer => bytesOf(new Float32Array(values));
const i64 = (...values: bigint[]): Buffer => bytesOf(new BigInt64Array(values));
const input = (name: string, datatype: string, shape: number[], blob: Uint8Array) => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: blob.length },
});
const allBinary = { binary_data_output: true };

function echo(type: ElementName, datatype: string, count: number, blob: Uint8Array): Promise<BinaryAnswer> {
  const json = { parameters: allBinary, inputs: [input('x', datatype, [count], blob)] };
  return postBinary(url(`echo-${type}`), binaryRequest(json, blob));
}

describe('item 21: all tensors in binary', () => {
  it('come back so, behind JSON whose length the header says', async () => {
    const blob = f32(1, 2, 3, 4);
    const json = { id: 'ä', parameters: allBinary, inputs: [input('x', 'FP32', [2, 2], blob)] };
    const answer = await postBinary(url('linear'), binaryRequest(json, blob));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    expect(answer.headers.get('inference-header-content-length')).toBe(
      String(Buffer.byteLength(JSON.stringify(answer.json))),
    );
    expect(answer.json).toEqual({
      model_name: 'linear',
      model_version: '1',
      id: 'ä',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], parameters: { binary_data_size: 8 } }],
    });
    expect(answer.blobs['y']).toEqual(f32(9, 19));
    expect(answer.headers.get('kedge-model-digest')).toBe(server.manager.model('linear')!.active!.digest);
  });

  it.each<[ElementName, string, ArrayBufferView]>([
    ['uint8', 'UINT8', new Uint8Array([0, 255, 7])],
    ['uint16', 'UINT16', new Uint16Array([0, 65_535, 7])],
    ['uint32', 'UINT32', new Uint32Array([0, 4_294_967_295, 7])],
    ['uint64', 'UINT64', new BigUint64Array([0n, 18_446_744_073_709_551_615n, 9_007_199_254_740_993n])],
    ['int8', 'INT8', new Int8Array([-128, 127, 7])],
    ['int16', 'INT16', new Int16Array([-32_768, 32_767, 7])],
    ['int32', 'INT32', new Int32Array([-2_147_483_648, 2_147_483_647, 7])],
    ['int64', 'INT64', new BigInt64Array([-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, -1n])],
    ['float16', 'FP16', new Float16Array([0.5, -65_504, Number.NaN])],
    ['float', 'FP32', new Float32Array([-0, Number.NaN, Number.NEGATIVE_INFINITY])],
    ['double', 'FP64', new Float64Array([0.1, -0, Number.MAX_VALUE])],
  ])('%s to the last bit', async (type, datatype, values) => {
    const blob = bytesOf(values);
    const answer = await echo(type, datatype, 3, blob);
    expect([answer.status, answer.blobs['y']]).toEqual([200, blob]);
  });

  it('BOOL of any byte is 0 or 1', async () => {
    const { blobs } = await echo('bool', 'BOOL', 4, new Uint8Array([0, 1, 2, 255]));
    expect([...blobs['y']!]).toEqual([0, 1, 1, 1]);
  });

  it('wherever they lie in the body', async () => {
    for (const id of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg']) {
      const [a, b] = [f32(1.5), i64(-7n)];
      const json = { id, parameters: allBinary, inputs: [input('a', 'FP32', [1], a), input('b', 'INT64', [1], b)] };
      const { blobs } = await postBinary(url('two'), binaryRequest(json, a, b));
      expect([blobs['p'], blobs['q']]).toEqual([a, b]);
    }
  });
});

describe('item 22: JSON and binary mixed', () => {
  const a = f32(1, 2);
  const b = i64(3n, 4n);
  const json = {
    a: { name: 'a', datatype: 'FP32', shape: [2], data: [1, 2] },
    b: { name: 'b', datatype: 'INT64', shape: [2], data: [3, 4] },
  };

  it.each<[string, object[], Buffer[]]>([
    ['the first in binary', [input('a', 'FP32', [2], a), json.b], [a]],
    ['the second in binary', [json.a, input('b', 'INT64', [2], b)], [b]],
    ['blobs in the order of the inputs', [input('b', 'INT64', [2], b), input('a', 'FP32', [2], a)], [b, a]],
  ])('%s', async (_what, inputs, blobs) => {
    const answer = await postBinary(url('two'), binaryRequest({ inputs }, ...blobs));
    expect(answer.json.outputs).toEqual([
      { name: 'p', datatype: 'FP32', shape: [2], data: [1, 2] },
      { name: 'q', datatype: 'INT64', shape: [2], data: [3, 4] },
    ]);
  });

  it('outputs in the order asked, each as it was asked for; one without the flag is JSON', async () => {
    const outputs = [
      { name: 'q', parameters: { binary_data: true } },
      { name: 'p', parameters: { binary_data: false } },
    ];
    const first = await postBinary(url('two'), binaryRequest({ inputs: [json.a, json.b], outputs }));
    expect(first.json.outputs).toEqual([
      { name: 'q', datatype: 'INT64', shape: [2], parameters: { binary_data_size: 16 } },
      { name: 'p', datatype: 'FP32', shape: [2], data: [1, 2] },
    ]);
    expect(first.blobs['q']).toEqual(b);
    const listed = { parameters: allBinary, inputs: [json.a, json.b], outputs: [{ name: 'p' }] };
    const second = await postBinary(url('two'), binaryRequest(listed));
    expect([second.headers.get('content-type'), second.json.outputs]).toEqual([
      'application/json',
      [{ name: 'p', datatype: 'FP32', shape: [2], data: [1, 2] }],
    ]);
  });

  it('no length header is needed where nothing is sent in binary', async () => {
    const body = JSON.stringify({ parameters: allBinary, inputs: [json.a, json.b] });
    const answer = await readAnswer(await fetch(url('two'), { method: 'POST', body }));
    expect([answer.blobs['p'], answer.blobs['q']]).toEqual([a, b]);
  });
});

describe('item 23: the length header', () => {
  it.each(['inference-header-content-length', 'Inference-Header-Content-Length', 'INFERENCE-HEADER-CONTENT-LENGTH'])(
    'as %s',
    async (name) => {
      const connection = new RawConnection(server.port);
      const blob = f32(1, 2);
      const { body, headers } = binaryRequest({ inputs: [input('x', 'FP32', [1, 2], blob)] }, blob);
      const length = headers['inference-header-content-length']!;
      connection.write(postHead('/v2/models/linear/infer', { [name]: length, 'content-length': body.length }));
      connection.write(body);
      const answer = await connection.answer();
      connection.end();
      expect([answer?.status, answer?.head.includes('inference-header-content-length')]).toEqual([200, false]);
      expect(JSON.parse(answer!.body).outputs[0].data).toEqual([9]);
    },
  );
});

describe('item 24: BYTES and empty tensors', () => {
  it.each<[string, (string | Uint8Array)[]]>([
    ['empty', ['', 'a', '']],
    ['text', ['ä', '日本', '\u{1f600}']],
    ['with NUL in them', ['a\0b', '\0', '']],
    ['no UTF-8', [new Uint8Array([0xff, 0xfe]), new Uint8Array([0x61, 0x80, 0xc3, 0xa4, 0xc3]), 'ä']],
    ['every byte', [Uint8Array.from({ length: 256 }, (_, byte) => byte), new Uint8Array([0xed, 0xa0, 0x80])]],
    ['the characters that stand in for bytes elsewhere', ['\u{10ff80}\u{10ffff}', '\ufffd']],
  ])('strings that are %s come back to the byte', async (_what, elements) => {
    const blob = byteStrings(...elements);
    const answer = await echo('string', 'BYTES', elements.length, blob);
    expect([answer.status, answer.blobs['y']]).toEqual([200, blob]);
  });

  it('what is no UTF-8 cannot go out as JSON, nor beside the characters that stand in for it', async () => {
    const blob = byteStrings(new Uint8Array([0xff]));
    const answer = await postBinary(
      url('echo-string'),
      binaryRequest({ inputs: [input('x', 'BYTES', [1], blob)] }, blob),
    );
    expect([answer.status, answer.json.error]).toEqual([400, expect.stringMatching(/'y'.*no UTF-8.*binary_data/)]);
    const both = await echo('string', 'BYTES', 2, byteStrings(new Uint8Array([0xff]), '\u{10ff80}'));
    expect([both.status, both.json.error]).toEqual([400, expect.stringMatching(/U\+10FF80/)]);
  });

  it.each<[ElementName, string]>([
    ['float', 'FP32'],
    ['string', 'BYTES'],
    ['int64', 'INT64'],
  ])('%s without elements: no blob, and plain JSON where no output has one', async (type, datatype) => {
    const answer = await echo(type, datatype, 0, new Uint8Array());
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(answer.headers.get('inference-header-content-length')).toBeNull();
    expect(answer.json.outputs).toEqual([
      { name: 'y', datatype, shape: [0], parameters: { binary_data_size: 0 }, data: [] },
    ]);
  });

  it('the KServe SDK leaves the header out for it, and sends null beside', async () => {
    const none = { name: 'x', datatype: 'FP32', shape: [0], parameters: { binary_data_size: 0 }, data: null };
    const response = await fetch(url('echo-float'), { method: 'POST', body: JSON.stringify({ inputs: [none] }) });
    expect([response.status, ((await response.json()) as BinaryAnswer['json']).outputs[0].data]).toEqual([200, []]);
  });

  it('FP16 in binary and in JSON are the same', async () => {
    const answer = await echo('float16', 'FP16', 2, bytesOf(new Float16Array([1.5, -2])));
    expect(answer.blobs['y']).toEqual(bytesOf(new Float16Array([1.5, -2])));
  });
});

describe('item 25: what is wrong is refused, and the connection stays usable', () => {
  let connection: RawConnection;
  beforeEach(() => {
    connection = new RawConnection(server.port);
  });
  afterEach(() => connection.end());

  const blob = f32(1, 2);
  const good = { inputs: [input('x', 'FP32', [1, 2], blob)] };
  const x = (size: unknown, more: object = {}) => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: size }, ...more }],
  });
  const bytes = (shape: number[], data: Uint8Array) => ({ inputs: [input('x', 'BYTES', shape, data)] });
  const beyond = Buffer.from([255, 255, 255, 255, 1]);

  it.each<[string, { json: unknown; blob?: Uint8Array; length?: string | undefined; model?: string }, RegExp]>([
    ['a length of abc', { json: good, blob, length: 'abc' }, /must be a number of bytes/],
    ['a length of -1', { json: good, blob, length: '-1' }, /must be a number of bytes/],
    ['a length of 1e3', { json: good, blob, length: '1e3' }, /must be a number of bytes/],
    ['a length of 99999999999', { json: good, blob, length: '99999999999' }, /must be a number of bytes/],
    ['a length of 2^31', { json: good, blob, length: '2147483648' }, /must be a number of bytes/],
    ['a length beyond the body', { json: good, blob, length: '5000' }, /says 5000 bytes of JSON/],
    ['a length that cuts the JSON', { json: good, blob, length: '10' }, /not JSON/],
    ['two lengths', { json: good, blob, length: '10, 10' }, /must be a number of bytes/],
    ['no length', { json: good, length: undefined }, /Inference-Header-Content-Length is missing/],
    ['too few bytes', { json: good, blob: f32(1) }, /binary_data_size is 8, and 4 bytes/],
    ['too many bytes', { json: good, blob: f32(1, 2, 3) }, /4 bytes of the body are left/],
    ['bytes behind JSON that declares none', { json: { inputs: [] }, blob }, /8 bytes of the body are left/],
    ['a size that the shape does not fill', { json: x(4), blob: f32(1) }, /'x': shape \[1,2\] of FP32 takes 8 bytes/],
    ['a size of 0', { json: x(0), length: undefined }, /takes 8 bytes, its binary data has 0/],
    ['a size of -1', { json: x(-1), blob }, /'x': binary_data_size must be a whole number from 0, not -1/],
    ['a size of NaN', { json: x(Number.NaN), blob }, /binary_data_size must be a whole number/],
    ['a size that is text', { json: x('8'), blob }, /binary_data_size must be a whole number from 0, not "8"/],
    ['a size beyond 2^53', { json: x(2n ** 64n), blob }, /binary_data_size must be a whole number/],
    ['both forms', { json: x(8, { data: [1, 2] }), blob }, /both data and binary_data_size/],
    [
      'a string that ends early',
      { json: bytes([1], beyond), blob: beyond, model: 'echo-string' },
      /declares 4294967295/,
    ],
    [
      'half a length of a string',
      { json: bytes([1], beyond.subarray(0, 2)), blob: beyond.subarray(0, 2), model: 'echo-string' },
      /ends before element 0/,
    ],
    [
      'a string too many',
      { json: bytes([1], byteStrings('a', 'b')), blob: byteStrings('a', 'b'), model: 'echo-string' },
      /5 bytes of its binary data are left/,
    ],
    [
      'a huge shape of strings',
      { json: bytes([2_000_000_000], byteStrings('a')), blob: byteStrings('a'), model: 'echo-string' },
      /ends before element 1/,
    ],
    [
      'a shape that overflows',
      { json: { inputs: [input('x', 'FP32', [2 ** 30, 2 ** 30], blob)] }, blob, model: 'matrix' },
      /too many elements/,
    ],
    ['an unknown output', { json: { ...good, outputs: [{ name: 'z' }] }, blob }, /'z' is unknown/],
    ['an output twice', { json: { ...good, outputs: [{ name: 'y' }, { name: 'y' }] }, blob }, /asked for twice/],
    ['a reserved parameter', { json: { ...good, parameters: { triton_x: 1 } }, blob }, /'triton_x' is reserved/],
  ])('%s', async (_what, { json, blob: tail = new Uint8Array(), model = 'linear', ...rest }, sentence) => {
    const { body, headers } = binaryRequest(json, tail);
    const length = 'length' in rest ? rest.length : headers['inference-header-content-length'];
    const path = `/v2/models/${model}/infer`;
    const more: Record<string, string> = length === undefined ? {} : { 'inference-header-content-length': length };
    connection.write(postHead(path, { 'content-length': body.length, ...more }));
    connection.write(body);
    const answer = await connection.answer();
    expect([answer?.status, JSON.parse(answer!.body)]).toEqual([
      400,
      { error: expect.stringMatching(sentence), code: 'request-invalid' },
    ]);
    expect(answer!.head).toContain('content-type: application/json');
    const next = binaryRequest(good, blob);
    connection.write(postHead('/v2/models/linear/infer', { ...next.headers, 'content-length': next.body.length }));
    connection.write(next.body);
    expect((await connection.answer())?.status).toBe(200);
  });
});

describe('item 26: a raw binary request', () => {
  const raw = (model: string, body: Buffer): Promise<BinaryAnswer> =>
    postBinary(url(model), {
      body: Buffer.from(body),
      headers: { 'inference-header-content-length': '0', 'content-type': 'application/octet-stream' },
    });

  it('is the only input, its free dimension from its length, and all outputs in binary', async () => {
    const answer = await raw('linear', f32(1, 2, 3, 4));
    expect([answer.status, answer.json.outputs[0].shape, answer.blobs['y']]).toEqual([200, [2, 1], f32(9, 19)]);
  });

  it('of strings is one string, as it is', async () => {
    const bytes = Buffer.from([0x61, 0, 0xff]);
    const answer = await raw('echo-string', bytes);
    expect([answer.json.outputs[0].shape, answer.blobs['y']]).toEqual([[1], byteStrings(bytes)]);
  });

  it.each<[string, string, Buffer, RegExp]>([
    ['two inputs', 'two', f32(1), /one input, and the model has 2/],
    ['two free dimensions', 'matrix', f32(1), /more than one free dimension/],
    ['no whole number of rows', 'linear', f32(1, 2, 3), /no whole number of rows/],
    ['no whole number of elements', 'linear', Buffer.from([1, 2, 3]), /no whole number of rows/],
  ])('not with %s', async (_what, model, body, sentence) => {
    const { status, json } = await raw(model, body);
    expect([status, json.error]).toEqual([400, expect.stringMatching(sentence)]);
  });
});

describe('item 27: compressed', () => {
  const count = 2000;
  const values = new Float32Array(count).map((_, at) => at / 8);
  const blob = bytesOf(values);
  const json = { parameters: allBinary, inputs: [input('x', 'FP32', [count], blob)] };

  it.each([
    ['gzip', gzipSync, gunzipSync],
    ['deflate', deflateSync, inflateSync],
  ] as const)('%s both ways; the length header counts what was before it', async (encoding, pack, unpack) => {
    const { body, headers } = binaryRequest(json, blob);
    const packed = pack(body);
    const connection = new RawConnection(server.port);
    connection.write(
      postHead('/v2/models/echo-float/infer', {
        ...headers,
        'content-encoding': encoding,
        'accept-encoding': encoding,
        'content-length': packed.length,
      }),
    );
    connection.write(packed);
    const answer = await connection.answer();
    connection.end();
    expect([answer?.status, answer?.head]).toEqual([200, expect.stringContaining(`content-encoding: ${encoding}`)]);
    const plain = unpack(Buffer.from(answer!.body, 'latin1'));
    const length = Number(/inference-header-content-length: (\d+)/.exec(answer!.head)![1]);
    expect(JSON.parse(plain.subarray(0, length).toString()).outputs[0].parameters.binary_data_size).toBe(blob.length);
    expect(plain.subarray(length)).toEqual(blob);
  });
});

describe('item 28: the shape and the bytes agree', () => {
  it.each([0, 1, 3, 5])('%i rows', async (rows) => {
    const blob = f32(...Array.from({ length: rows * 2 }, (_, at) => at));
    const request = binaryRequest({ parameters: allBinary, inputs: [input('x', 'FP32', [rows, 2], blob)] }, blob);
    const answer = await postBinary(url('linear'), request);
    const [{ shape, parameters }] = answer.json.outputs;
    expect([shape, parameters.binary_data_size]).toEqual([[rows, 1], rows * 4]);
  });
});
