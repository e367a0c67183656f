import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultedInput, linearModel, zipMapModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('demand', 1, linearModel());
  volume.add('demand', 2, linearModel({ bias: [9] }));
  volume.refuse('demand', 3, [{ code: 'opset', message: 'Opset 99 is too new.', expected: '26', found: '99' }]);
  volume.add('demand', 4, linearModel(), { details: { requires: { server: '>=9' } } });
  volume.refuse('demand', 5, [], 'incomplete');
  volume.refuse('broken.m_x-1', 1, [{ code: 'onnx-truncated', message: 'It is cut.' }]);
  volume.add('zip', 1, zipMapModel());
  volume.add('defaulted', 1, defaultedInput());
  volume.add('gone', 1, linearModel());
  volume.rollout('gone', { retired: true });
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

describe('health', () => {
  it.each(['/v2/health/live', '/livez'])('10.1 (1) %s', async (path) => {
    const { status, headers, body } = await get(server.url + path);
    expect([status, headers.get('content-type'), body]).toEqual([200, 'application/json', { live: true }]);
  });

  it.each(['/v2/health/ready', '/readyz'])('10.1 (2) %s', async (path) => {
    const { status, headers, body } = await get(server.url + path);
    expect([status, headers.get('content-type'), body]).toEqual([200, 'application/json', { live: true, ready: true }]);
  });

  it('10.1 (6) /', async () => expect((await get(`${server.url}/`)).body).toEqual({ status: 'alive' }));

  it.each(['/v2/health/live', '/v2/health/ready', '/v2', '/v2/models/demand'])('10.1 (8) HEAD %s', async (path) => {
    const response = await fetch(server.url + path, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('metadata', () => {
  it('10.1 (4) of the server: nothing that is not there', async () =>
    expect((await get(`${server.url}/v2`)).body).toEqual({
      name: 'kedge',
      version: '1.0.0',
      extensions: [
        'classification',
        'model_repository',
        'schedule_policy',
        'model_configuration',
        'binary_tensor_data',
        'parameters',
        'statistics',
      ],
    }));

  it('10.1 (6) the models, those that were refused too', async () =>
    expect((await get(`${server.url}/v2/models`)).body).toEqual({
      models: ['broken.m_x-1', 'defaulted', 'demand', 'zip'],
    }));

  it.each(['/v2/models/demand', '/v2/models/demand/', '/v2/models/demand/versions/1', '/v2/models/%64emand'])(
    '10.1 (5) %s',
    async (path) => {
      const { status, body } = await get(server.url + path);
      expect([status, body]).toEqual([
        200,
        {
          name: 'demand',
          versions: ['2', '1'],
          platform: 'onnxruntime_onnx',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
        },
      ]);
    },
  );

  it('names outputs that cannot be served, and serves the others', async () => {
    const { body } = await get(`${server.url}/v2/models/zip`);
    expect(body.outputs.map(({ name }: { name: string }) => name)).toEqual(['same']);
    expect(body.parameters.omitted_outputs).toEqual([{ name: 'maps', type: expect.stringMatching(/^seq\(map/) }]);
    const answer = await post(`${server.url}/v2/models/zip/infer`, {
      inputs: [{ name: 'p', datatype: 'FP32', shape: [1, 2], data: [0.5, 0.25] }],
    });
    expect(answer.body.outputs).toEqual([{ name: 'same', datatype: 'FP32', shape: [1, 2], data: [0.5, 0.25] }]);
  });

  it('marks inputs that may be left out', async () => {
    const { body } = await get(`${server.url}/v2/models/defaulted`);
    expect(body.inputs).toContainEqual({ name: 'scale', datatype: 'FP32', shape: [1], optional: true });
  });

  it.each(['/v2/models/demand/ready', '/v2/models/demand/versions/2/ready'])('10.1 (3) %s', async (path) => {
    const { status, headers, body } = await get(server.url + path);
    expect([status, body]).toEqual([200, { name: 'demand', ready: true }]);
    expect(headers.get('kedge-model-version')).toBe('2');
    expect(headers.get('kedge-model-digest')).toBe(server.manager.model('demand')!.active!.digest);
  });
});

describe('what is not there', () => {
  it.each<[string, string, number, string, RegExp]>([
    ['GET', '/v2/models/nobody', 404, 'model-unknown', /no model "nobody"/],
    ['GET', '/v2/models/nobody/ready', 404, 'model-unknown', /nobody/],
    ['GET', '/v2/models/nobody/versions', 404, 'model-unknown', /nobody/],
    ['POST', '/v2/models/nobody/infer', 404, 'model-unknown', /nobody/],
    ['GET', '/v2/models/gone', 404, 'model-unknown', /gone/],
    ['GET', '/v2/models/gone/versions/1/ready', 404, 'model-unknown', /gone/],
    ['GET', '/v2/models/DEMAND', 404, 'model-unknown', /DEMAND/],
    ['GET', '/v2/models/__proto__', 404, 'model-unknown', /__proto__/],
    ['GET', '/v2/models/%2e%2e%2fetc', 404, 'model-unknown', /\.\.\/etc/],
    ['GET', '/v2/models/a%00b', 404, 'model-unknown', /a\\u0000b/],
    ['GET', '/v2/models/%20..', 404, 'model-unknown', / \.\./],
    ['GET', '/v2/models/%zz', 404, 'model-unknown', /zz/],
    ['GET', `/v2/models/${'x'.repeat(300)}`, 404, 'model-unknown', /x{70}…/],
    ['GET', '/v2/models/de/mand', 404, 'route-unknown', /nothing at/],
    ['GET', '/v2/models/demand/versions/9/ready', 404, 'version-unknown', /no version "9"/],
    ...['01', '-1', '1.0', 'latest', 'v1.2.3', '9223372036854775808', '0', '%20'].map(
      (version): [string, string, number, string, RegExp] => [
        'POST',
        `/v2/models/demand/versions/${version}/infer`,
        404,
        'version-unknown',
        /no version/,
      ],
    ),
    ['GET', '/v2/models/demand/nothing', 404, 'route-unknown', /nothing at/],
    ['GET', '/v3', 404, 'route-unknown', /\/v3/],
    ['GET', '/metrics', 404, 'route-unknown', /\/metrics/],
    ['POST', '/v1/models/demand:classify', 404, 'route-unknown', /:predict/],
    ['POST', '/v1/models/demand', 405, 'method-not-allowed', /takes GET, HEAD, not POST.*:predict/],
    ['POST', '/v1/models/demand/versions/1', 405, 'method-not-allowed', /takes GET, HEAD, not POST/],
    ['POST', '/v1/models/demand/labels/stable', 405, 'method-not-allowed', /takes GET, HEAD, not POST/],
    [
      'GET',
      '/v2/models/broken.m_x-1/ready',
      503,
      'model-not-ready',
      /version 1 is refused \(onnx-truncated: It is cut\.\)/,
    ],
    ['POST', '/v2/models/broken.m_x-1/infer', 503, 'model-not-ready', /onnx-truncated/],
    ['GET', '/v2/models/demand/versions/3', 503, 'model-not-ready', /version 3 .*refused \(opset: Opset 99/],
    ['GET', '/v2/models/demand/versions/4/ready', 503, 'model-not-ready', /version 4 .*refused \(server-version/],
    ['GET', '/v2/models/demand/versions/5/ready', 503, 'model-not-ready', /version 5 .*incomplete/],
    ['POST', '/v2/health/live', 405, 'method-not-allowed', /takes GET, HEAD, not POST/],
    ['GET', '/v2/models/demand/infer', 405, 'method-not-allowed', /takes POST, not GET/],
    ['HEAD', '/v2/models/demand/infer', 405, '', /^$/],
    ['DELETE', '/v2/models/demand', 405, 'method-not-allowed', /takes GET, HEAD, not DELETE/],
    ['PUT', '/v2/models/demand/infer/', 405, 'method-not-allowed', /takes POST/],
    ['GET', '/v1/models/demand:predict', 405, 'method-not-allowed', /takes POST, not GET/],
    ['GET', '/v1/models/demand/versions/1:predict', 405, 'method-not-allowed', /takes POST, not GET/],
    ['GET', '/v1/models/demand/labels/stable:predict', 405, 'method-not-allowed', /takes POST, not GET/],
    ['PUT', '/v1/models/demand:predict', 405, 'method-not-allowed', /takes POST, not PUT/],
    ['PUT', '/v1/models/demand', 405, 'method-not-allowed', /takes GET, HEAD, not PUT/],
    ['OPTIONS', '/v2/models/demand/infer', 405, 'method-not-allowed', /takes POST/],
  ])('%s %s: %i %s', async (method, path, status, code, sentence) => {
    const response = await fetch(server.url + path, { method });
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/json']);
    expect(response.headers.get('allow') !== null).toBe(status === 405);
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    if (method === 'HEAD') return;
    const { error, ...more } = JSON.parse(text);
    expect([error, more]).toEqual([expect.stringMatching(sentence), { code }]);
  });
});

it('every known version is listed, with why it does not serve', async () => {
  const { status, body } = await get(`${server.url}/v2/models/demand/versions`);
  const digestOf = (version: number): string => server.manager.model('demand')!.find(version)!.digest;
  const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  expect([status, body.name, body.active]).toEqual([200, 'demand', '2']);
  expect(body.versions).toMatchObject([
    { version: '5', state: 'incomplete', since, reasons: [] },
    {
      version: '4',
      state: 'refused',
      since,
      digest: digestOf(4),
      reasons: [{ code: 'server-version', message: expect.stringMatching(/>=9/), expected: '>=9', found: '1.0.0' }],
    },
    {
      version: '3',
      state: 'refused',
      since,
      reasons: [{ code: 'opset', message: 'Opset 99 is too new.', expected: '26', found: '99' }],
    },
    {
      version: '2',
      state: 'ready',
      since,
      digest: digestOf(2),
      reasons: [],
      placement: { engine: 'inline', reason: expect.stringMatching(/proved harmless/) },
      loadMs: expect.any(Number),
    },
    { version: '1', state: 'ready', since, digest: digestOf(1), reasons: [] },
  ]);
  const ready = body.versions[3].history.map(({ state }: { state: string }) => state);
  expect(ready).toEqual(['available', 'loading', 'warming', 'ready']);
});

it('a model without a version that answers says so', async () => {
  const { body } = await get(`${server.url}/v2/models/broken.m_x-1/versions`);
  expect(body).toMatchObject({ name: 'broken.m_x-1', active: null, versions: [{ version: '1', state: 'refused' }] });
});

it('the admin port answers all that the prediction port does', async () => {
  for (const path of ['/v2', '/v2/health/ready', '/v2/models/demand', '/v2/models/demand/versions']) {
    expect((await get(server.admin + path)).body).toEqual((await get(server.url + path)).body);
  }
});
