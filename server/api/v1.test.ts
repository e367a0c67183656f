import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../contract/onnx/encode.ts';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** Two inputs and outputs of two types, and a scalar. */
const mixed = encodeModel({
  irVersion: 8,
  opsets: { '': 15 },
  inputs: [
    { name: 'name', type: 'string', dims: ['N', 1] },
    { name: 'id', type: 'int64', dims: ['N'] },
    { name: 'scale', type: 'float', dims: [] },
  ],
  outputs: [
    { name: 'same', type: 'string', dims: ['N', 1] },
    { name: 'negative', type: 'int64', dims: ['N'] },
    { name: 'double', type: 'float', dims: [] },
  ],
  nodes: [
    { type: 'Identity', inputs: ['name'], outputs: ['same'] },
    { type: 'Neg', inputs: ['id'], outputs: ['negative'] },
    { type: 'Add', inputs: ['scale', 'scale'], outputs: ['double'] },
  ],
});

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.add('linear', 2, linearModel({ bias: [100] }));
  volume.rollout('linear', { labels: { stable: 1, canary: 2, lost: 9 } });
  volume.refuse('linear', 3, [{ code: 'opset', message: 'Opset 99 is too new.' }]);
  volume.add('mixed', 1, mixed);
  volume.add('text', 1, identityModel({ type: 'string', input: 'in', output: 'out' }));
  volume.add('bytes', 1, identityModel({ type: 'string', input: 'in', output: 'out_bytes' }));
  volume.add('flags', 1, identityModel({ type: 'bool', dims: ['N', 'M'] }));
  volume.refuse('broken', 1, [{ code: 'onnx-truncated', message: 'It is cut.' }]);
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const predict = (path: string, body: unknown) => post(`${server.url}/v1/models/${path}:predict`, body);
const rows = [
  [1, 2],
  [3, 4],
];

describe('the column form', () => {
  it('of one input and one output is the tensor itself', async () => {
    expect((await predict('linear', { inputs: rows })).body).toEqual({ outputs: [[108], [118]] });
    expect((await predict('linear', { inputs: { x: rows }, signature_name: 'serving_default' })).body).toEqual({
      outputs: [[108], [118]],
    });
    expect((await predict('flags', { inputs: [[true, false]] })).body).toEqual({ outputs: [[true, false]] });
  });

  it('of several is an object of them, scalars among them', async () => {
    const body = '{"inputs":{"name":[["a"],["b"]],"id":[9007199254740993,-1],"scale":2.5}}';
    expect((await predict('mixed', body)).body).toEqual({
      outputs: { same: [['a'], ['b']], negative: [-9007199254740993n, 1], double: 5 },
    });
  });

  it('may be empty', async () => expect((await predict('linear', { inputs: [] })).body).toEqual({ outputs: [] }));

  it.each<[string, string, unknown, RegExp]>([
    ['neither form', 'linear', {}, /instances must be an array/],
    ['both forms', 'linear', { inputs: rows, instances: rows }, /not both/],
    ['another signature', 'linear', { signature_name: 'classify', inputs: rows }, /no signature "classify"/],
    ['an unknown input', 'linear', { inputs: { z: rows } }, /'z', which is no input/],
    ['several inputs without names', 'mixed', { inputs: [1] }, /inputs must be an object with a value for each/],
    ['a missing input', 'mixed', { inputs: { id: [1] } }, /'name' is missing/],
    ['ragged data', 'linear', { inputs: [[1, 2], [3]] }, /dimension 1 has 1 items/],
    ['another rank', 'linear', { inputs: [1, 2] }, /'x' has rank 1/],
    ['an object as a tensor', 'linear', { inputs: { x: { a: 1 } } }, /element 0 is \{"a":1\}/],
  ])('not %s', async (_what, model, body, sentence) => {
    const { status, body: answer } = await predict(model, body);
    expect([status, answer]).toEqual([400, { error: expect.stringMatching(sentence), code: 'request-invalid' }]);
  });
});

describe('bytes as b64', () => {
  const b64 = (bytes: number[]) => ({ b64: Buffer.from(bytes).toString('base64') });

  it.each([
    ['instances', 'predictions'],
    ['inputs', 'outputs'],
  ])('in %s', async (given, answered) => {
    const values = [{ b64: Buffer.from('ä').toString('base64') }, 'plain', b64([]), b64([0xff, 0x61, 0x80])];
    const { status, body } = await predict('text', { [given]: values });
    expect([status, body]).toEqual([200, { [answered]: ['ä', 'plain', '', b64([0xff, 0x61, 0x80])] }]);
  });

  it('alone, and by the name of its input', async () => {
    expect((await predict('text', { instances: [b64([0x61])] })).body).toEqual({ predictions: ['a'] });
    expect((await predict('text', { instances: [{ in: b64([0x61]) }] })).body).toEqual({ predictions: ['a'] });
    expect((await predict('text', { inputs: { in: [b64([0x61])] } })).body).toEqual({ outputs: ['a'] });
  });

  it('go out so where the output is named …_bytes', async () =>
    expect((await predict('bytes', { instances: ['a'] })).body).toEqual({ predictions: [b64([0x61])] }));

  it.each([{ b64: 'a' }, { b64: '%%%%' }, { b64: 7 }, { b64: 'YQ==', more: 1 }])('not %j', async (value) =>
    expect((await predict('text', { instances: [value] })).status).toBe(400),
  );
});

describe('versions and labels', () => {
  it.each([
    ['linear', [[108]]],
    ['linear/versions/1', [[9]]],
    ['linear/labels/stable', [[9]]],
    ['linear/labels/canary', [[108]]],
  ])('%s', async (path, predictions) => {
    expect((await predict(path, { instances: [[1, 2]] })).body).toEqual({ predictions });
  });

  it.each([
    ['linear/labels/lost', 503, 'model-not-ready'],
    ['linear/labels/nobody', 404, 'version-unknown'],
    ['linear/labels/__proto__', 404, 'version-unknown'],
    ['nobody/labels/stable', 404, 'model-unknown'],
    ['linear/versions/3', 503, 'model-not-ready'],
    ['linear/versions/9', 404, 'version-unknown'],
  ])('%s: %i', async (path, status, code) => {
    const reply = await predict(path, { instances: [[1, 2]] });
    expect([reply.status, reply.body.code]).toEqual([status, code]);
  });
});

describe('status and metadata', () => {
  const ok = { error_code: 'OK', error_message: '' };

  it('of a model, as TensorFlow Serving and KServe have it', async () => {
    expect((await get(`${server.url}/v1/models/linear`)).body).toEqual({
      name: 'linear',
      ready: true,
      model_version_status: [
        {
          version: '3',
          state: 'END',
          status: { error_code: 'FAILED_PRECONDITION', error_message: 'opset: Opset 99 is too new.' },
        },
        { version: '2', state: 'AVAILABLE', status: ok },
        { version: '1', state: 'AVAILABLE', status: ok },
      ],
    });
    expect((await get(`${server.url}/v1/models/broken`)).body).toMatchObject({ name: 'broken', ready: false });
  });

  it.each([
    ['/versions/1', '1', true],
    ['/labels/canary', '2', true],
    ['/versions/3', '3', false],
  ])('of %s', async (path, version, ready) => {
    const { body } = await get(`${server.url}/v1/models/linear${path}`);
    expect([body.ready, body.model_version_status.map((one: { version: string }) => one.version)]).toEqual([
      ready,
      [version],
    ]);
  });

  it.each(['', '/versions/2', '/labels/canary'])('metadata%s', async (path) => {
    const { body } = await get(`${server.url}/v1/models/linear${path}/metadata`);
    expect(body.model_spec).toEqual({ name: 'linear', signature_name: '', version: '2' });
    const { inputs, outputs, method_name } = body.metadata.signature_def.signature_def.serving_default;
    expect([inputs.x, method_name]).toEqual([
      {
        dtype: 'DT_FLOAT',
        tensor_shape: {
          dim: [
            { size: '-1', name: '' },
            { size: '2', name: '' },
          ],
          unknown_rank: false,
        },
        name: 'x',
      },
      'tensorflow/serving/predict',
    ]);
    expect(outputs.y.dtype).toBe('DT_FLOAT');
  });

  it.each(['nobody', 'nobody/metadata', 'linear/versions/9', 'linear/labels/nobody', 'linear/versions/01/metadata'])(
    '%s: 404',
    async (path) => expect((await get(`${server.url}/v1/models/${path}`)).status).toBe(404),
  );
});

it.each([':classify', ':regress'])('%s is not there, and says why', async (verb) => {
  for (const path of ['linear', 'linear/versions/1', 'linear/labels/stable']) {
    const { status, body } = await post(`${server.url}/v1/models/${path}${verb}`, { examples: [] });
    expect([status, body.error]).toEqual([404, expect.stringMatching(/tf\.Example.*:predict/)]);
  }
});
