import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ElementName, type EncodeModel, encodeModel } from '../../contract/onnx/encode.ts';
import { defaultedInput, identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** p = -x, q = x + x: two outputs to choose from. */
const twoOutputs: EncodeModel = {
  inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
  outputs: [
    { name: 'p', type: 'float', dims: ['N'] },
    { name: 'q', type: 'float', dims: ['N'] },
  ],
  nodes: [
    { type: 'Neg', inputs: ['x'], outputs: ['p'] },
    { type: 'Add', inputs: ['x', 'x'], outputs: ['q'] },
  ],
};

const ECHOES: Record<string, ElementName> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float',
  FP64: 'double',
  BYTES: 'string',
};
const echoName = (datatype: string): string => `echo-${datatype.toLowerCase()}`;

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.add('linear', 2, linearModel({ bias: [100] }));
  volume.add('two', 1, encodeModel({ irVersion: 8, opsets: { '': 15 }, ...twoOutputs }));
  volume.add('defaulted', 1, defaultedInput());
  volume.add('matrix', 1, identityModel({ dims: ['N', 'M'] }));
  for (const [datatype, type] of Object.entries(ECHOES)) volume.add(echoName(datatype), 1, identityModel({ type }));
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

describe('an answer', () => {
  it('10.2 (10) echoes the id and names version and digest', async () => {
    const { status, headers, body } = await infer('linear', { id: 'a "b"', inputs: [x([1, 2])] });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(body).toEqual({
      model_name: 'linear',
      model_version: '2',
      id: 'a "b"',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [108] }],
    });
    expect(headers.get('kedge-model-version')).toBe('2');
    expect(headers.get('kedge-model-digest')).toBe(server.manager.model('linear')!.active!.digest);
  });

  it('has no id where none was sent', async () =>
    expect((await infer('linear', { inputs: [x([1, 2])] })).body).not.toHaveProperty('id'));

  it('comes from the version that is asked for', async () => {
    const { headers, body } = await post(`${server.url}/v2/models/linear/versions/1/infer`, { inputs: [x([1, 2])] });
    expect([body.model_version, body.outputs[0].data, headers.get('kedge-model-version')]).toEqual(['1', [9], '1']);
  });

  it.each<[string[] | undefined, string[]]>([
    [undefined, ['p', 'q']],
    [['q'], ['q']],
    [
      ['q', 'p'],
      ['q', 'p'],
    ],
  ])('10.2 (11) has the outputs %j as %j', async (outputs, want) => {
    const body = { inputs: [x([1, -2], [2])], ...(outputs && { outputs: outputs.map((name) => ({ name })) }) };
    const data: Record<string, number[]> = { p: [-1, 2], q: [2, -4] };
    expect((await infer('two', body)).body.outputs).toEqual(
      want.map((name) => ({ name, datatype: 'FP32', shape: [2], data: data[name] })),
    );
  });

  it('of a model with a default, given or not', async () => {
    const scale = { name: 'scale', datatype: 'FP32', shape: [1], data: [2] };
    for (const inputs of [[x([1, 2])], [x([1, 2]), scale]]) {
      expect((await infer('defaulted', { inputs })).body.outputs[0].data).toEqual([2, 4]);
    }
  });

  it('without rows', async () =>
    expect((await infer('linear', { inputs: [x([], [0, 2])] })).body.outputs[0]).toMatchObject({
      shape: [0, 1],
      data: [],
    }));
});

describe('10.2 (9, 13) every datatype comes back', () => {
  it.each([
    ['BOOL', '[true,false,true]'],
    ['UINT8', '[0,255,7]'],
    ['UINT16', '[0,65535,7]'],
    ['UINT32', '[0,4294967295,7]'],
    ['UINT64', '[0,18446744073709551615,9007199254740993]'],
    ['INT8', '[-128,127,7]'],
    ['INT16', '[-32768,32767,7]'],
    ['INT32', '[-2147483648,2147483647,7]'],
    ['INT64', '[-9223372036854775808,9223372036854775807,9007199254740993]'],
    ['FP16', '[0.5,-65504,NaN]'],
    ['FP32', '[NaN,Infinity,-Infinity]'],
    ['FP64', '[0.1,-0.0,1.7976931348623157e+308]'],
    ['BYTES', '["","ä\\n","\\"NaN\\""]'],
  ])('%s', async (datatype, data) => {
    const text = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[3],"data":${data}}]}`;
    const response = await fetch(`${server.url}/v2/models/${echoName(datatype)}/infer`, { method: 'POST', body: text });
    expect(await response.text()).toContain(`"datatype":"${datatype}","shape":[3],"data":${data}}`);
  });

  it('nested as well as flat', async () => {
    const flat = await infer('matrix', { inputs: [x([1, 2, 3, 4, 5, 6], [3, 2])] });
    const nested = await infer('matrix', {
      inputs: [
        x(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          [3, 2],
        ),
      ],
    });
    expect([flat.status, nested.body]).toEqual([200, flat.body]);
  });
});

describe('10.2 (14, 15) what is refused, and the next request answers', () => {
  it.each<[string, string, unknown, RegExp]>([
    ['another name', 'linear', { inputs: [{ ...x([1, 2]), name: 'z' }] }, /'x' is missing.*'z' is unknown/],
    ['an input too many', 'linear', { inputs: [x([1, 2]), { ...x([1, 2]), name: 'z' }] }, /'z' is unknown/],
    ['no input', 'linear', { inputs: [] }, /'x' is missing/],
    ['another datatype', 'linear', { inputs: [x([1, 2], [1, 2], 'INT32')] }, /'x' has datatype INT32/],
    ['another rank', 'linear', { inputs: [x([1, 2], [2])] }, /'x' has rank 1/],
    ['another width', 'linear', { inputs: [x([1, 2, 3], [1, 3])] }, /'x' has shape \[1,3\]/],
    ['another count', 'linear', { inputs: [x([1, 2, 3], [1, 2])] }, /'x'.*takes 2 elements/],
    ['a negative dimension', 'linear', { inputs: [x([1, 2], [-1, 2])] }, /'x'.*dimension -1/],
    [
      'dimensions that overflow',
      'matrix',
      `{"inputs":[{"name":"x","datatype":"FP32","shape":[4,1152921504606846978],"data":[1]}]}`,
      /dimension 1152921504606846978/,
    ],
    ['ragged data', 'matrix', { inputs: [x([[1, 2], [3]], [2, 2])] }, /'x'.*dimension 1 has 1 items/],
    ['an unknown output', 'linear', { inputs: [x([1, 2])], outputs: [{ name: 'z' }] }, /'z' is unknown.*'y'/],
    [
      'an output twice',
      'linear',
      { inputs: [x([1, 2])], outputs: [{ name: 'y' }, { name: 'y' }] },
      /'y' is asked for twice/,
    ],
    ['no JSON', 'linear', 'hello', /not JSON/],
    ['no object', 'linear', 'null', /JSON object/],
    ['nothing', 'linear', '', /empty/],
    ['256 as UINT8', 'echo-uint8', { inputs: [x([256], [1], 'UINT8')] }, /'x': element 0 is 256/],
    ['2 as BOOL', 'echo-bool', { inputs: [x([2], [1], 'BOOL')] }, /'x': element 0 is 2/],
  ])('%s', async (_what, model, body, sentence) => {
    const { status, headers, body: answer } = await infer(model, body);
    expect([status, headers.get('content-type'), answer]).toEqual([
      400,
      'application/json',
      { error: expect.stringMatching(sentence), code: 'request-invalid' },
    ]);
    expect(headers.get('kedge-model-digest')).toBe(server.manager.model(model)!.active!.digest);
    expect((await infer('linear', { inputs: [x([1, 2])] })).status).toBe(200);
  });
});

describe('10.2 (16) a content type', () => {
  it.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'application/octet-stream',
    'text/plain',
    'application/x-www-form-urlencoded',
  ])('of %s makes no difference', async (type) => {
    const body = new TextEncoder().encode(JSON.stringify({ inputs: [x([1, 2])] }));
    const { status } = await get(`${server.url}/v2/models/linear/infer`, {
      method: 'POST',
      body,
      ...(type !== undefined && { headers: { 'content-type': type } }),
    });
    expect(status).toBe(200);
  });
});

it('10.2 (12) parameters that nobody knows are ignored', async () => {
  const body = {
    model_name: 'other',
    parameters: { sequence_id: 4, priority: 1, timeout: 5_000_000, binary_data_output: true, mystery: 'x' },
    inputs: [{ ...x([1, 2]), parameters: { content_type: 'np' } }],
    outputs: [{ name: 'y', parameters: { content_type: 'np' } }],
  };
  expect((await infer('linear', body)).body.outputs[0].data).toEqual([108]);
});
