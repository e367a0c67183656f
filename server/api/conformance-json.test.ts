import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ElementName, encodeModel } from '../../contract/onnx/encode.ts';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { readAnswer } from '../testing/binary.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

const ECHOES: [string, ElementName, string][] = [
  ['BOOL', 'bool', '[true,false,true,false]'],
  ['UINT8', 'uint8', '[0,255,7,1]'],
  ['UINT16', 'uint16', '[0,65535,7,1]'],
  ['UINT32', 'uint32', '[0,4294967295,7,1]'],
  ['UINT64', 'uint64', '[0,18446744073709551615,9007199254740993,1]'],
  ['INT8', 'int8', '[-128,127,7,1]'],
  ['INT16', 'int16', '[-32768,32767,7,1]'],
  ['INT32', 'int32', '[-2147483648,2147483647,7,1]'],
  ['INT64', 'int64', '[-9223372036854775808,9223372036854775807,9007199254740993,1]'],
  ['FP16', 'float16', '[0.5,-65504,NaN,Infinity]'],
  ['FP32', 'float', '[NaN,Infinity,-Infinity,-0.0]'],
  ['FP64', 'double', '[0.1,-0.0,1.7976931348623157e+308,NaN]'],
  ['BYTES', 'string', '["","ä\\n","\\"NaN\\"","\\u0000"]'],
];

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.add('linear', 2, linearModel({ bias: [100] }));
  volume.add(
    'two',
    1,
    encodeModel({
      irVersion: 8,
      opsets: { '': 15 },
      inputs: [{ name: 'x', type: 'float', dims: ['N', 3] }],
      outputs: [
        { name: 'p', type: 'float', dims: ['N', 3] },
        { name: 'q', type: 'float', dims: ['N', 3] },
      ],
      nodes: [
        { type: 'Neg', inputs: ['x'], outputs: ['p'] },
        { type: 'Add', inputs: ['x', 'x'], outputs: ['q'] },
      ],
    }),
  );
  for (const [datatype, type] of ECHOES) volume.add(`echo-${datatype.toLowerCase()}`, 1, identityModel({ type }));
  volume.add('grid-bytes', 1, identityModel({ type: 'string', dims: ['N', 'M'] }));
  volume.add('grid-fp32', 1, identityModel({ dims: ['N', 'M'] }));
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const infer = (model: string, body: unknown) => post(`${server.url}/v2/models/${model}/infer`, body);
const x = (data: unknown, shape = [1, 2], datatype = 'FP32') => ({ name: 'x', datatype, shape, data });
const three = { inputs: [x([1, -2, 3], [1, 3])] };

describe('item 9: data, flat and nested', () => {
  it.each(ECHOES)('%s comes back as it was sent', async (datatype, _type, data) => {
    const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[4],"data":${data}}]}`;
    const response = await fetch(`${server.url}/v2/models/echo-${datatype.toLowerCase()}/infer`, {
      method: 'POST',
      body,
    });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(`"data":${data}}`)]);
  });

  it.each([
    [
      'grid-bytes',
      'BYTES',
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ],
    ],
    [
      'grid-fp32',
      'FP32',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
  ])('%s: nested gives the same answer as flat', async (model, datatype, nested) => {
    const flat = await infer(model, { inputs: [x(nested.flat(), [3, 2], datatype)] });
    expect([flat.status, flat.body.outputs[0].data]).toEqual([200, nested.flat()]);
    expect((await infer(model, { inputs: [x(nested, [3, 2], datatype)] })).body).toEqual(flat.body);
    const ragged = await infer(model, { inputs: [x([nested[0], nested[1]!.slice(1)], [2, 2], datatype)] });
    expect([ragged.status, ragged.body.error]).toEqual([400, expect.stringMatching(/dimension 1 has 1 items/)]);
  });
});

it('item 10: the id comes back, name and version stand in the answer', async () => {
  const { body } = await infer('linear', { id: '7-é', inputs: [x([1, 2])] });
  expect(body).toMatchObject({ id: '7-é', model_name: 'linear', model_version: '2' });
  expect((await infer('linear', { inputs: [x([1, 2])] })).body).not.toHaveProperty('id');
  const versioned = await post(`${server.url}/v2/models/linear/versions/1/infer`, { id: '', inputs: [x([1, 2])] });
  expect(versioned.body).toMatchObject({ id: '', model_version: '1' });
});

describe('item 11: the outputs asked for', () => {
  it.each<[string[], string[]]>([
    [[], ['p', 'q']],
    [['q'], ['q']],
    [
      ['q', 'p'],
      ['q', 'p'],
    ],
  ])('%j are %j', async (outputs, want) => {
    const { body } = await infer('two', { ...three, outputs: outputs.map((name) => ({ name })) });
    expect(body.outputs.map(({ name }: { name: string }) => name)).toEqual(want);
  });

  it('unknown or twice: 400', async () => {
    for (const names of [['z'], ['p', 'p']]) {
      const { status } = await infer('two', { ...three, outputs: names.map((name) => ({ name })) });
      expect(status).toBe(400);
    }
  });
});

describe('item 12: parameters', () => {
  it.each([
    {},
    { mystery: 'x', nested: { a: [] } },
    { sequence_id: 4, sequence_start: true, sequence_end: false },
    { sequence_id: 'text' },
    { priority: 1, timeout: 10_000_000 },
    { priority: 0, timeout: 0 },
    { content_type: 'np', headers: { a: 'b' } },
    null,
  ])('%j is taken', async (parameters) => {
    expect((await infer('linear', { parameters, inputs: [x([1, 2])] })).status).toBe(200);
  });

  it.each([{ triton_enable_empty_final_response: true }, { triton_: 1 }, { priority: 'high' }, { timeout: -1 }])(
    '%j is refused',
    async (parameters) => expect((await infer('linear', { parameters, inputs: [x([1, 2])] })).status).toBe(400),
  );

  it('a timeout that is over before anything begins: 503', async () => {
    const { status, headers } = await infer('linear', { parameters: { timeout: 1 }, inputs: [x([1, 2])] });
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([503, true]);
  });
});

describe('item 13: numbers that JSON has no form for', () => {
  it.each([
    ['INT64', '-9223372036854775808'],
    ['INT64', '9007199254740993'],
    ['UINT64', '18446744073709551615'],
    ['FP32', 'NaN'],
    ['FP32', '-Infinity'],
    ['FP64', 'Infinity'],
    ['FP64', '-0.0'],
  ])('%s %s is exact both ways', async (datatype, value) => {
    const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${value}]}]}`;
    const url = `${server.url}/v2/models/echo-${datatype.toLowerCase()}/infer`;
    const text = await (await fetch(url, { method: 'POST', body })).text();
    expect(text).toContain(`"data":[${value}]`);
    expect(text).not.toContain('null');
  });

  it.each(['FP16', 'FP32', 'FP64'])('null in %s is NaN, which goes out as the token', async (datatype) => {
    const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[3],"data":[1,null,-2]}]}`;
    const url = `${server.url}/v2/models/echo-${datatype.toLowerCase()}/infer`;
    expect(await (await fetch(url, { method: 'POST', body })).text()).toContain('"data":[1,NaN,-2]');
  });

  it.each([
    ['INT64', 'null'],
    ['INT64', '9223372036854775808'],
    ['UINT64', '18446744073709551616'],
    ['UINT64', '-1'],
    ['INT64', '1.5'],
    ['INT64', 'NaN'],
  ])('%s %s is refused', async (datatype, value) => {
    const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${value}]}]}`;
    expect((await infer(`echo-${datatype.toLowerCase()}`, body)).status).toBe(400);
  });
});

describe('item 14: what does not fit names the field', () => {
  it.each<[string, unknown[], RegExp]>([
    ['another name', [{ ...x([1, 2]), name: 'z' }], /'x' is missing.*'z' is unknown/],
    ['no input', [], /'x' is missing/],
    ['an input too many', [x([1, 2]), { ...x([1]), name: 'z', shape: [1] }], /'z' is unknown/],
    ['another shape', [x([1, 2, 3], [1, 3])], /'x' has shape \[1,3\]/],
    ['another rank', [x([1, 2], [2])], /'x' has rank 1/],
    ['another type', [x([1, 2], [1, 2], 'INT32')], /'x' has datatype INT32/],
    ['an unknown type', [x([1, 2], [1, 2], 'BF16')], /'x': datatype is "BF16"/],
    ['another count', [x([1], [1, 2])], /'x'.*takes 2 elements, data has 1/],
    ['a negative dimension', [x([1, 2], [-1, 2])], /'x': dimension -1/],
    ['dimensions that overflow', [x([1, 2], [2 ** 31 - 1, 2 ** 31 - 1])], /'x'.*too many elements/],
  ])('%s', async (_what, inputs, sentence) => {
    const { status, body } = await infer('linear', { inputs });
    expect([status, body.error]).toEqual([400, expect.stringMatching(sentence)]);
  });
});

it.each([
  ['nothing', ''],
  ['null', 'null'],
  ['an array', '[]'],
  ['a string', '"x"'],
  ['no JSON', '{"inputs":'],
  ['101 levels', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ['250,000 levels', `{"a":${'['.repeat(250_000)}`],
])('item 15: a body of %s is 400', async (_what, body) => {
  const { status, headers, body: answer } = await infer('linear', body);
  expect([status, headers.get('content-type'), typeof answer.error]).toEqual([400, 'application/json', 'string']);
});

it.each([undefined, 'application/json', 'application/json; charset=utf-8', 'application/octet-stream', 'text/plain'])(
  'item 16: a content type of %s makes no difference',
  async (type) => {
    const connection = new RawConnection(server.port);
    const body = JSON.stringify({ inputs: [x([1, 2])] });
    const headers = { 'content-length': body.length, ...(type === undefined ? {} : { 'content-type': type }) };
    connection.write(postHead('/v2/models/linear/infer', headers as Record<string, string | number>) + body);
    const answer = await connection.answer();
    connection.end();
    expect([answer?.status, /content-type: (.*)/.exec(answer!.head)![1]!.trim()]).toEqual([200, 'application/json']);
  },
);

it.each([
  ['/v2/models/nobody/infer', /nobody/],
  ...['9', '0', '01', '-1', '1.0', 'v1.2.3', 'latest', '9223372036854775808'].map(
    (version) => [`/v2/models/linear/versions/${version}/infer`, /no version/] as [string, RegExp],
  ),
])('item 17: %s is 404', async (path, sentence) => {
  const { status, body } = await post(server.url + path, { inputs: [x([1, 2])] });
  expect([status, body.error]).toEqual([404, expect.stringMatching(sentence)]);
});

it.each([
  ['%6cinear', 200],
  ['lin/ear', 404],
  ['..%2flinear', 404],
  ['%2e%2e/linear', 404],
  ['a%00b', 404],
  ['%20linear', 404],
  ['x'.repeat(300), 404],
])('item 18: the model name %s is %i', async (name, status) => {
  expect((await infer(name, { inputs: [x([1, 2])] })).status).toBe(status);
});

it('item 19: headers that nobody knows are let be, and the answer says which version gave it', async () => {
  const { status, headers } = await post(
    `${server.url}/v2/models/linear/infer`,
    { inputs: [x([1, 2])] },
    { headers: { 'x-custom': 'a', 'ce-id': '1', 'x-request-id': 'r' } },
  );
  expect([status, headers.get('kedge-model-version')]).toEqual([200, '2']);
});

describe('item 20: content encodings', () => {
  const url = (): string => `${server.url}/v2/models/echo-fp32/infer`;
  const long = JSON.stringify({ inputs: [x(new Array(500).fill(1.25), [500])] });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('a request in %s', async (encoding, pack) => {
    const response = await fetch(url(), {
      method: 'POST',
      body: pack(long),
      headers: { 'content-encoding': encoding, 'accept-encoding': 'identity' },
    });
    expect([response.status, (await readAnswer(response)).json.outputs[0].data.length]).toEqual([200, 500]);
  });

  it.each<[string, string, ((bytes: Buffer) => Buffer) | undefined]>([
    ['gzip', 'gzip', gunzipSync],
    ['deflate', 'deflate', inflateSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['deflate, gzip;q=0.5', 'deflate', inflateSync],
    ['*', 'gzip', gunzipSync],
    ['br', '', undefined],
    ['gzip;q=0', '', undefined],
    ['identity, gzip;q=0.5', '', undefined],
    ['identity', '', undefined],
    ['gzip;q=x', '', undefined],
  ])('an answer for %s is in %j', async (accepted, encoding, unpack) => {
    const connection = new RawConnection(server.port);
    connection.write(
      postHead('/v2/models/echo-fp32/infer', { 'accept-encoding': accepted, 'content-length': long.length }) + long,
    );
    const answer = (await connection.answer())!;
    connection.end();
    expect(/content-encoding: (\S+)/.exec(answer.head)?.[1] ?? '').toBe(encoding);
    const bytes = Buffer.from(answer.body, 'latin1');
    expect(JSON.parse((unpack ? unpack(bytes) : bytes).toString()).outputs[0].data).toHaveLength(500);
  });

  it('a short answer is not worth it', async () => {
    const response = await post(`${server.url}/v2/models/linear/infer`, { inputs: [x([1, 2])] });
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  it('an unknown one is 501, and says which there are', async () => {
    const { status, headers } = await get(url(), { method: 'POST', body: long, headers: { 'content-encoding': 'br' } });
    expect([status, headers.get('accept-encoding')]).toEqual([501, 'gzip, deflate']);
  });
});

describe('the classification extension', () => {
  const classes = (count: unknown, more: object = {}) => ({
    ...{ inputs: [x([0.25, 7, -1, 3, Number.NaN, 3], [2, 3])] },
    outputs: [{ name: 'q', parameters: { classification: count, ...more } }],
  });

  it('gives the highest values of each row with their indices, NaN last', async () => {
    expect((await infer('two', classes(2))).body.outputs).toEqual([
      { name: 'q', datatype: 'BYTES', shape: [2, 2], data: ['14.000000:1', '0.500000:0', '6.000000:0', '6.000000:2'] },
    ]);
    const all = (await infer('two', classes(9))).body.outputs[0];
    expect([all.shape, all.data.slice(3)]).toEqual([
      [2, 3],
      ['6.000000:0', '6.000000:2', 'NaN:1'],
    ]);
  });

  it('of one dimension is one row, and of whole numbers has no decimals', async () => {
    const body = {
      inputs: [x([3, 9, 5, 9], [4], 'INT64')],
      outputs: [{ name: 'y', parameters: { classification: 3 } }],
    };
    expect((await infer('echo-int64', body)).body.outputs).toEqual([
      { name: 'y', datatype: 'BYTES', shape: [3], data: ['9:1', '9:3', '5:2'] },
    ]);
  });

  it('goes out in binary too', async () => {
    const response = await fetch(`${server.url}/v2/models/two/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [x([1, 2, 3], [1, 3])], outputs: classes(1, { binary_data: true }).outputs }),
    });
    const { blobs } = await readAnswer(response);
    expect(blobs['q']!.subarray(4).toString()).toBe('6.000000:2');
  });

  it.each([0, -1, 1.5, '2', true])('%j classes are refused', async (count) =>
    expect((await infer('two', classes(count))).status).toBe(400),
  );

  it('strings have no order', async () => {
    const body = {
      inputs: [x(['a'], [1], 'BYTES')],
      outputs: [{ name: 'y', parameters: { classification: 1 } }],
    };
    const { status, body: answer } = await infer('echo-bytes', body);
    expect([status, answer.error]).toEqual([400, expect.stringMatching(/only numbers/)]);
  });
});
