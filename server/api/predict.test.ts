import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureDigest } from '../../contract/estimator.ts';
import { encodeModel } from '../../contract/onnx/encode.ts';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import estimator from '../../examples/scooter-demand/estimator.ts';
import { ELEMENTS } from '../../examples/scooter-demand/features.ts';
import { post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** trips = temperature - wind: so that both fields of a row show in its prediction. */
const demand = linearModel({
  input: 'features',
  output: 'trips',
  bias: [0],
  weights: ELEMENTS.map(({ name }) => [name === 'temperature' ? 1 : name === 'wind' ? -1 : 0]),
});

const mixed = encodeModel({
  irVersion: 8,
  opsets: { '': 15 },
  inputs: [
    { name: 'name', type: 'string', dims: ['N', 1] },
    { name: 'id', type: 'int64', dims: ['N'] },
  ],
  outputs: [
    { name: 'same', type: 'string', dims: ['N', 1] },
    { name: 'negative', type: 'int64', dims: ['N'] },
  ],
  nodes: [
    { type: 'Identity', inputs: ['name'], outputs: ['same'] },
    { type: 'Neg', inputs: ['id'], outputs: ['negative'] },
  ],
});

const mean = encodeModel({
  irVersion: 8,
  opsets: { '': 15 },
  inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
  outputs: [{ name: 'mean', type: 'float', dims: [] }],
  nodes: [{ type: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { keepdims: { int: 0 } } }],
});

const row = {
  time: '2026-11-23T18:00',
  temperature: 10,
  precipitation: 0,
  wind: 3,
  trips_day_ago: 40,
  trips_2_days_ago: 43,
  trips_week_ago: 36,
  trips_2_weeks_ago: 38,
  trips_mean_week: 12.5,
  trips_mean_4_weeks: 37,
};

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  const { name, version, features } = estimator;
  const code = { estimator: name, version, features: featureDigest(features) };
  volume.add('scooter-demand', 1, demand, { details: { code, requires: { estimator: `^${version}` } } });
  volume.add('scooter-demand', 2, demand, { details: { code: { ...code, features: `sha256:${'0'.repeat(64)}` } } });
  volume.add('two-answers', 1, linearModel({ input: 'features', weights: ELEMENTS.map(() => [1, 1]) }), {
    details: { code },
  });
  volume.add('linear', 1, linearModel());
  volume.add('linear', 2, linearModel({ bias: [100] }));
  volume.add('mixed', 1, mixed);
  volume.add('mean', 1, mean);
  volume.add('floats', 1, identityModel());
  await volume.write();
  server = await startTestServer(volume, {
    KEDGE_ESTIMATORS: fileURLToPath(new URL('../../examples', import.meta.url)),
  });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const predict = (model: string, body: unknown) => post(`${server.url}/v1/models/${model}:predict`, body);

describe('domain rows', () => {
  it('go through the estimator of the version', async () => {
    const instances = [row, { ...row, temperature: 3 }, { ...row, wind: 4.5, shop: 'unknown to it' }];
    const { status, headers, body } = await predict('scooter-demand', { instances });
    expect([status, headers.get('content-type'), body]).toEqual([
      200,
      'application/json',
      { predictions: [{ trips: 7 }, { trips: 0 }, { trips: 5.5 }] },
    ]);
    expect(headers.get('kedge-model-version')).toBe('1');
    expect(headers.get('kedge-model-digest')).toBe(server.manager.model('scooter-demand')!.active!.digest);
  });

  it('may be none', async () =>
    expect((await predict('scooter-demand', { instances: [] })).body).toEqual({ predictions: [] }));

  it.each<[string, unknown, RegExp]>([
    ['without a field', { ...row, wind: undefined }, /instances\[1\]\.wind is missing: Forecast wind/],
    ['with text for a number', { ...row, wind: 'much' }, /instances\[1\]\.wind must be a number, not "much"/],
    ['with half an hour', { ...row, time: '2026-11-23T18:30' }, /instances\[1\]\.time must be a full hour/],
    [
      'with a misspelt lag',
      { ...row, trips_week_ago: undefined, trips_weak_ago: 1 },
      /instances\[1\]\.trips_weak_ago is no field; 'trips_week_ago' is/,
    ],
    ['of numbers', [1, 2], /instances\[1\] must be an object/],
  ])('%s are refused by row and field', async (_what, wrong, sentence) => {
    const { status, body } = await predict('scooter-demand', { instances: [row, wrong] });
    expect([status, body]).toEqual([400, { error: expect.stringMatching(sentence), code: 'estimator-failed' }]);
  });

  it('whose answer the estimator cannot read are no fault of the caller', async () => {
    const { status, body } = await predict('two-answers', { instances: [row] });
    expect([status, body]).toEqual([500, { error: expect.stringMatching(/one number/), code: 'estimator-defect' }]);
  });

  it('are never fed to a version whose features are others', async () => {
    const { status, body } = await post(`${server.url}/v1/models/scooter-demand/versions/2:predict`, {
      instances: [row],
    });
    expect([status, body.code]).toEqual([503, 'model-not-ready']);
    expect(body.error).toMatch(/features-changed/);
  });
});

describe('rows of a model without an estimator', () => {
  it('are those of its only input', async () => {
    expect(
      (
        await predict('linear', {
          instances: [
            [1, 2],
            [3, 4],
          ],
        })
      ).body,
    ).toEqual({ predictions: [[108], [118]] });
    expect((await post(`${server.url}/v1/models/linear/versions/1:predict`, { instances: [[1, 2]] })).body).toEqual({
      predictions: [[9]],
    });
  });

  it('are objects where it has several, and so are the answers', async () =>
    expect(
      (
        await predict(
          'mixed',
          `{"instances":[{"name":"ä","id":9007199254740993},{"name":["b"],"id":-1}]}`.replace('["b"]', '"b"'),
        )
      ).body,
    ).toEqual({
      predictions: [
        { same: ['ä'], negative: -9007199254740993n },
        { same: ['b'], negative: 1 },
      ],
    }));

  it('may be none', async () => expect((await predict('linear', { instances: [] })).body).toEqual({ predictions: [] }));

  it('keep NaN and infinity', async () =>
    expect((await predict('floats', '{"instances":[NaN,Infinity,"-Infinity",1]}')).body).toEqual({
      predictions: [Number.NaN, Infinity, -Infinity, 1],
    }));

  it('keep the sign of zero, and take null for NaN', async () =>
    expect((await predict('floats', '{"instances":[-0.0,0,null]}')).body).toEqual({
      predictions: [-0, 0, Number.NaN],
    }));

  it.each<[string, string, unknown, RegExp]>([
    ['no instances', 'linear', {}, /instances must be an array/],
    ['both forms', 'linear', { inputs: [[1, 2]], instances: [[1, 2]] }, /and not both/],
    ['no JSON', 'linear', 'x', /not JSON/],
    ['rows of several inputs', 'mixed', { instances: [1] }, /each instance must be an object/],
    ['a row too long', 'linear', { instances: [[1, 2, 3]] }, /'x' has shape \[1,3\]/],
    ['rows of different length', 'linear', { instances: [[1, 2], [1]] }, /instances\[1\] has another form/],
    ['rows of a model that mixes them', 'mean', { instances: [1, 2] }, /'mean' has the shape \[\]/],
  ])('not %s', async (_what, model, body, sentence) => {
    const { status, body: answer } = await predict(model, body);
    expect([status, answer]).toEqual([400, { error: expect.stringMatching(sentence), code: 'request-invalid' }]);
  });

  it.each([
    ['an unknown model', 'nobody', 404, 'model-unknown'],
    ['an unknown version', 'linear/versions/9', 404, 'version-unknown'],
    ['no version', 'linear/versions/latest', 404, 'version-unknown'],
  ])('%s', async (_what, path, status, code) => {
    const reply = await predict(path, { instances: [] });
    expect([reply.status, reply.body.code]).toEqual([status, code]);
  });

  it('a colon that is percent-encoded is one', async () => {
    const { status } = await post(`${server.url}/v1/models/linear%3Apredict`, { instances: [[1, 2]] });
    expect(status).toBe(200);
  });
});
