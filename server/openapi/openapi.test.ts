import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';
import { writeDocument } from './document.ts';

let volume: TestVolume;
let server: TestServer;
beforeAll(async () => {
  volume = new TestVolume();
  const tensor = (shape: number[], data: number[]) => ({ datatype: 'FP32' as const, shape, data });
  const sample = {
    inputs: { x: tensor([1, 2], [1, 2]) },
    outputs: { y: tensor([1, 1], [5]) },
    tolerance: { abs: 1e9, rel: 1 },
  };
  volume.add('m', 1, linearModel(), { details: { samples: [sample] } });
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

describe('GET /openapi.json', () => {
  it('has the tensors of each model, and examples that are answered', async () => {
    const { body } = await get(`${server.url}/openapi.json`);
    expect(body.openapi).toBe('3.1.0');
    const { schemas } = body.components;
    const { shape, datatype, name } = schemas['m.InferRequest'].properties.inputs.items.properties;
    expect([name, datatype]).toEqual([{ const: 'x' }, { const: 'FP32' }]);
    expect(shape.prefixItems).toEqual([{ type: 'integer', minimum: 0 }, { const: 2 }]);
    for (const [path, schema] of [
      ['/v2/models/m/infer', 'm.InferRequest'],
      ['/v1/models/m:predict', 'm.PredictRequest'],
    ] as const) {
      expect(body.paths[path].post).toBeDefined();
      expect((await post(server.url + path, schemas[schema].examples[0])).status).toBe(200);
    }
  });

  it.each(['url', 'admin'] as const)('is a valid document of OpenAPI 3.1 (%s)', async (port) => {
    const { body } = await get(`${server[port]}/openapi.json`);
    const validator = new Validator();
    const { valid, errors } = await validator.validate(body);
    expect([errors, valid, validator.version]).toEqual([undefined, true, '3.1']);
    expect((await new Validator().validate({ ...body, paths: { '/x': { get: { responses: 7 } } } })).valid).toBe(false);
  });

  it('names nothing twice and refers to nothing that is not there', async () => {
    const { body } = await get(`${server.admin}/openapi.json`);
    const text = JSON.stringify(body);
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, schema] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(body.components.schemas).toHaveProperty([schema!]);
    expect(Object.keys(body.paths)).toContain('/v2/repository/models/{model}/load');
  });
});

describe('of many models', () => {
  it('is made a few models in a turn of the loop, and keeps what does not change', async () => {
    const many = new TestVolume();
    for (let model = 0; model < 9; model += 1) many.add(`m${model}`, 1, linearModel());
    await many.write();
    const running = await startTestServer(many);
    try {
      await running.settle();
      const turn = vi.fn(() => Promise.resolve());
      const write = async () => {
        turn.mockClear();
        const models = running.manager.models();
        const text = await writeDocument({ models, estimator: () => undefined, guarded: true, admin: false }, turn);
        return { document: JSON.parse(text), turns: turn.mock.calls.length };
      };
      const first = await write();
      expect(first.turns).toBe(2);
      expect(first.document.tags).toHaveLength(10);
      expect((await new Validator().validate(structuredClone(first.document))).valid).toBe(true);
      expect(await write()).toEqual({ document: first.document, turns: 0 });

      many.add('m3', 2, linearModel({ bias: [9] }));
      await many.write();
      await running.settle();
      const { document } = await write();
      const versions = (name: string) =>
        document.paths[`/v2/models/${name}/versions/{version}/infer`].post.parameters[0].schema.enum;
      expect([versions('m2'), versions('m3').sort()]).toEqual([['1'], ['1', '2']]);
      expect(document.tags[4].description).toMatch(/^Version 2 answers/);
    } finally {
      await running.stop();
      many.remove();
    }
  });
});

it('the page and what it needs come from here alone', async () => {
  const page = await (await fetch(`${server.url}/docs`)).text();
  const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  expect(files).toHaveLength(4);
  for (const file of files.filter((address) => address !== 'data:,')) {
    expect(file).toMatch(/^\/docs\//);
    expect((await fetch(server.url + file)).status).toBe(200);
  }
  expect((await fetch(`${server.url}/docs/package.json`)).status).toBe(404);
});
