import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Details } from '../../contract/manifest.ts';
import { encodeModel } from '../../contract/onnx/encode.ts';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { firstModel, firstModelDetails } from '../../examples/scooter-demand/first-model.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** double = x + x, of a scalar, beside a column. */
const scalar = encodeModel({
  irVersion: 8,
  opsets: { '': 15 },
  inputs: [
    { name: 'x', type: 'float', dims: [] },
    { name: 'id', type: 'int64', dims: ['N'] },
  ],
  outputs: [
    { name: 'double', type: 'float', dims: [] },
    { name: 'same', type: 'int64', dims: ['N'] },
  ],
  nodes: [
    { type: 'Add', inputs: ['x', 'x'], outputs: ['double'] },
    { type: 'Identity', inputs: ['id'], outputs: ['same'] },
  ],
});
const floats = (shape: number[], data: number[]) => ({ datatype: 'FP32' as const, shape, data });
const ids = { datatype: 'INT64' as const, shape: [2], data: [1, 2] };
const sampled = (inputs: object, outputs: object): { details: Details } => ({
  details: { samples: [{ inputs, outputs, tolerance: { abs: 1e9, rel: 1 } }] } as Details,
});
const HOUR = {
  time: '2026-11-23T18:00',
  temperature: 7.5,
  precipitation: 0.4,
  wind: 3,
  trips_day_ago: 41,
  trips_2_days_ago: 43,
  trips_week_ago: 36,
  trips_2_weeks_ago: 38,
  trips_mean_week: 12.5,
  trips_mean_4_weeks: 37,
};

let volume: TestVolume;
let server: TestServer;
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
let document: any;
beforeAll(async () => {
  volume = new TestVolume();
  for (const [version, width] of [2, 2, 3].entries()) {
    const x = floats([1, width], [1, 2, 3].slice(0, width));
    volume.add('two', version + 1, identityModel({ dims: ['N', width] }), sampled({ x }, { y: x }));
  }
  volume.rollout('two', { policy: { all: true }, labels: { old: 1, new: 3, canary: 2 } });
  const linear = sampled({ x: floats([1, 2], [1, 2]) }, { y: floats([1, 1], [8]) });
  for (const name of ['stats', 'm', 'm-version']) volume.add(name, 1, linearModel(), linear);
  volume.rollout('m', { labels: { stable: 1 } });
  const doubled = { double: floats([], [3]), same: ids };
  volume.add('scalar', 1, scalar, sampled({ x: floats([], [1.5]), id: ids }, doubled));
  volume.add('demand', 1, firstModel(), { details: firstModelDetails(HOUR) });
  await volume.write();
  const estimators = fileURLToPath(new URL('../../examples', import.meta.url));
  server = await startTestServer(volume, { KEDGE_ESTIMATORS: estimators });
  await server.settle();
  document = (await get(`${server.admin}/openapi.json`)).body;
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const schemas = () => document.components.schemas;
const enumOf = (path: string, method = 'post') => document.paths[path][method].parameters[0].schema.enum;

it('is valid, and names nothing twice', async () => {
  expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
  const text = JSON.stringify(document);
  const named = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(named).size).toBe(named.length);
  for (const [, schema] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(schemas()).toHaveProperty([schema!]);
});

/** Every path with each of the values that its parameters may have. */
function placesOf(method: 'get' | 'post') {
  return Object.entries<Record<string, { parameters?: { name: string; in: string; schema: { enum: string[] } }[] }>>(
    document.paths,
  ).flatMap(([path, operations]) => {
    const operation = operations[method];
    const [inPath] = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'path');
    if (!operation || path.startsWith('/v2/repository/')) return [];
    return (inPath?.schema.enum ?? ['']).map((value) => ({ path: path.replace(/\{.*\}/, value), of: path }));
  });
}

it('leads to answers, each reading', async () => {
  const places = placesOf('get');
  for (const { path } of places) expect([path, (await get(server.admin + path)).status]).toEqual([path, 200]);
  const two = places.filter(({ path }) => /\/two(\/|$)/.test(path)).length;
  // By model and by three versions: 4 of v2, 2 of v1; /versions; by three labels 2 of v1.
  expect(two).toBe(4 * 6 + 1 + 3 * 2);
  // Of the model of that name the metadata have the path of the statistics of all.
  expect(document.paths['/v2/models/stats'].get.operationId).toBe('stats');
});

it('leads to answers, each prediction with the example of its own schema', async () => {
  const places = placesOf('post');
  expect(places.length).toBeGreaterThan(30);
  for (const { path, of } of places) {
    const { $ref } = document.paths[of].post.requestBody.content['application/json'].schema;
    const [example] = schemas()[$ref.split('/').at(-1)].examples;
    expect([path, (await post(server.url + path, example)).status]).toEqual([path, 200]);
  }
});

describe('versions of other tensors than the one that answers', () => {
  it('have paths and schemas of their own', () => {
    const lastDim = (schema: string) => schemas()[schema].properties.inputs.items.properties.shape.prefixItems[1].const;
    expect([lastDim('two.InferRequest'), lastDim('two.InferRequest.2')]).toEqual([3, 2]);
    expect([
      enumOf('/v2/models/two/versions/{version}/infer'),
      enumOf('/v2/models/two/versions/{version}', 'get'),
    ]).toEqual([['3'], ['3', '2', '1']]);
    for (const version of [1, 2]) {
      const { content } = document.paths[`/v2/models/two/versions/${version}/infer`].post.requestBody;
      expect(content['application/json'].schema.$ref).toMatch(/two\.InferRequest\.2$/);
    }
  });

  it('are asked by their labels', () => {
    expect(enumOf('/v1/models/two/labels/{label}:predict')).toEqual(['new']);
    const ref = document.paths['/v1/models/two/labels/canary:predict'].post.requestBody.content['application/json'];
    expect(ref.schema.$ref).toMatch(/two\.PredictRequest\.2$/);
    expect(document.paths).toHaveProperty(['/v1/models/two/labels/old:predict']);
    expect(enumOf('/v1/models/m/labels/{label}:predict')).toEqual(['stable']);
  });
});

describe('predictions of v1', () => {
  it('are by rows or by columns, and not both', () => {
    const { oneOf } = schemas()['m.PredictRequest'];
    expect(oneOf.map(({ required }: { required: string[] }) => required)).toEqual([['instances'], ['inputs']]);
    expect(schemas()['m.PredictResponse'].oneOf.map(({ required }: { required: string[] }) => required)).toEqual([
      ['predictions'],
      ['outputs'],
    ]);
  });

  it('are by columns alone where a scalar is no row', () => {
    expect(schemas()['scalar.PredictRequest'].required).toEqual(['inputs']);
    expect(schemas()['scalar.PredictRequest'].examples).toEqual([{ inputs: { x: 1.5, id: [1, 2] } }]);
    expect(schemas()['scalar.PredictResponse'].required).toEqual(['outputs']);
  });

  it('are by domain rows alone where there is an estimator, with the numbers of a sample in the example', () => {
    const { required, examples } = schemas()['demand.PredictRequest'];
    expect(required).toEqual(['instances']);
    const [row] = examples[0].instances;
    expect(row).toMatchObject({ temperature: 7.5, trips_day_ago: 41, trips_mean_week: 12.5 });
  });
});

it('tells of binary bodies, and of how each output may be wanted', () => {
  const { requestBody, parameters } = document.paths['/v2/models/m/infer'].post;
  expect(Object.keys(requestBody.content)).toEqual(['application/json', 'application/octet-stream']);
  expect(parameters).toContainEqual({ $ref: '#/components/parameters/jsonLength' });
  const { name, parameters: wish } = schemas()['m.InferRequest'].properties.outputs.items.properties;
  expect([name.enum, Object.keys(wish.properties)]).toEqual([['y'], ['binary_data', 'classification']]);
});
