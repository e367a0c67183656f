import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultedInput, identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.add('linear', 2, linearModel({ bias: [9] }));
  volume.add('strings', 3, identityModel({ type: 'string', dims: ['N', 2] }));
  volume.add('mixing', 1, linearModel(), { rows: { independent: false, because: 'it says so' } });
  volume.add('defaulted', 1, defaultedInput());
  volume.refuse('broken', 1, [{ code: 'onnx-truncated', message: 'It is cut.' }]);
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

describe.each(['url', 'admin'] as const)('on the %s', (port) => {
  const ask = (path: string) => get(server[port] + path);
  const JSON_TYPE = 'application/json';

  it('item 1: live', async () => {
    const { status, headers, body } = await ask('/v2/health/live');
    expect([status, headers.get('content-type'), body]).toEqual([200, JSON_TYPE, { live: true }]);
  });

  it('item 2: ready', async () => {
    const { status, headers, body } = await ask('/v2/health/ready');
    expect([status, headers.get('content-type'), body]).toEqual([200, JSON_TYPE, { live: true, ready: true }]);
  });

  it('item 3: a model and a version are ready, or say why not', async () => {
    expect((await ask('/v2/models/linear/ready')).body).toEqual({ name: 'linear', ready: true });
    expect((await ask('/v2/models/linear/versions/1/ready')).body).toEqual({ name: 'linear', ready: true });
    const broken = await ask('/v2/models/broken/ready');
    expect([broken.status, broken.body.error]).toEqual([503, expect.stringMatching(/onnx-truncated/)]);
    expect((await ask('/v2/models/nobody/ready')).status).toBe(404);
    expect((await ask('/v2/models/linear/versions/9/ready')).status).toBe(404);
  });

  it('item 4: the server, with extensions that answer', async () => {
    const { name, version, extensions } = (await ask('/v2')).body;
    expect([name, version].every((value) => typeof value === 'string')).toBe(true);
    const proofs: Record<string, string> = {
      statistics: '/v2/models/linear/stats',
      model_configuration: '/v2/models/linear/config',
    };
    for (const [extension, path] of Object.entries(proofs)) {
      expect(extensions).toContain(extension);
      expect((await ask(path)).status).toBe(200);
    }
    for (const absent of ['system_shared_memory', 'cuda_shared_memory', 'trace', 'logging', 'sequence']) {
      expect(extensions).not.toContain(absent);
    }
  });

  it('item 5: a model, and a version of it', async () => {
    const { body } = await ask('/v2/models/linear');
    expect(body).toEqual({
      name: 'linear',
      versions: ['2', '1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    });
    expect((await ask('/v2/models/strings/versions/3')).body.inputs).toEqual([
      { name: 'x', datatype: 'BYTES', shape: [-1, 2] },
    ]);
    const unknown = await ask('/v2/models/nobody');
    expect([unknown.status, unknown.body.error]).toEqual([404, expect.stringMatching(/nobody/)]);
  });

  it('item 6: the names of the models, and the live check of v1', async () => {
    const models = ['broken', 'defaulted', 'linear', 'mixing', 'strings'];
    expect((await ask('/v2/models')).body).toEqual({ models });
    expect((await ask('/v1/models')).body).toEqual({ models });
    expect((await ask('/')).body).toEqual({ status: 'alive' });
  });

  it('item 7: the configuration of a model', async () => {
    const { status, headers, body } = await ask('/v2/models/linear/config');
    expect([status, headers.get('kedge-model-version')]).toEqual([200, '2']);
    expect(body).toMatchObject({
      name: 'linear',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      version_policy: { latest: { num_versions: 2 } },
      max_batch_size: expect.any(Number),
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2], optional: false }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1] }],
      default_model_filename: 'model.onnx',
    });
    expect(body.max_batch_size).toBeGreaterThan(0);
    const versioned = await ask('/v2/models/strings/versions/3/config');
    expect(versioned.body.input).toMatchObject([{ name: 'x', data_type: 'TYPE_STRING', dims: [2] }]);
    const mixing = await ask('/v2/models/mixing/config');
    expect([mixing.body.max_batch_size, mixing.body.input[0].dims]).toEqual([0, [-1, 2]]);
    const { body: defaulted } = await ask('/v2/models/defaulted/config');
    expect(defaulted.input.map(({ optional }: { optional: boolean }) => optional)).toContain(true);
    expect((await ask('/v2/models/nobody/config')).status).toBe(404);
    expect((await ask('/v2/models/linear/versions/9/config')).status).toBe(404);
  });

  it('item 8: other methods, unknown paths, trailing slashes and HEAD', async () => {
    const wrong = await get(`${server[port]}/v2/models/linear/stats`, { method: 'POST', body: '{}' });
    expect([wrong.status, wrong.headers.get('allow'), wrong.body.error]).toEqual([
      405,
      'GET, HEAD',
      expect.stringMatching(/not POST/),
    ]);
    const unknown = await ask('/v2/nothing');
    expect([unknown.status, typeof unknown.body.error]).toEqual([404, 'string']);
    expect((await ask('/v2/models/linear/')).status).toBe(200);
    expect((await fetch(`${server[port]}/v2/health/live`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each(['systemsharedmemory', 'cudasharedmemory'])('shared memory is refused with a sentence: %s', async (kind) => {
    for (const path of [`/v2/${kind}/status`, `/v2/${kind}/region/r/status`]) {
      const { status, body } = await ask(path);
      expect([status, body.error]).toEqual([400, expect.stringMatching(/Shared memory is not supported/)]);
    }
    for (const path of [`/v2/${kind}/region/r/register`, `/v2/${kind}/unregister`]) {
      expect((await post(server[port] + path, { key: 'k', byte_size: 1 })).status).toBe(400);
    }
  });
});

describe('item 2: not ready', () => {
  it('with no model at all, and live all the same', async () => {
    const empty = new TestVolume();
    await empty.write();
    const idle = await startTestServer(empty);
    await idle.settle();
    const { status, body } = await get(`${idle.url}/v2/health/ready`);
    expect([status, body.ready, typeof body.error]).toEqual([503, false, 'string']);
    expect((await get(`${idle.url}/v2/health/live`)).body).toEqual({ live: true });
    await idle.stop();
    empty.remove();
  });
});

describe('item 7: statistics', () => {
  const infer = (model: string, rows: number) =>
    post(`${server.url}/v2/models/${model}/infer`, {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], data: new Array(rows * 2).fill(1) }],
    });
  const statsOf = async (path: string) => (await get(`${server.url}/v2/models${path}/stats`)).body.model_stats;

  it('grow by rows and by runs, and say where the time went', async () => {
    const before = Date.now();
    for (const rows of [1, 3, 3]) expect((await infer('mixing', rows)).status).toBe(200);
    expect((await infer('mixing', 0)).status).toBe(200);
    await post(`${server.url}/v2/models/mixing/infer`, { inputs: [] });
    const [stats, ...more] = await statsOf('/mixing');
    expect(more).toEqual([]);
    expect(stats).toMatchObject({ name: 'mixing', version: '1', inference_count: 7, execution_count: 3 });
    expect(stats.last_inference).toBeGreaterThanOrEqual(before - 1);
    expect(stats.last_inference).toBeLessThanOrEqual(Date.now() + 1);
    const { success, fail, queue, compute_input, compute_infer, compute_output, cache_hit } = stats.inference_stats;
    expect([success.count, fail.count, queue.count, compute_infer.count, cache_hit.count]).toEqual([4, 1, 3, 3, 0]);
    expect(compute_infer.ns).toBeGreaterThan(0);
    expect(success.ns).toBeGreaterThanOrEqual(compute_input.ns + compute_output.ns);
    expect(stats.batch_stats).toMatchObject([
      { batch_size: 1, compute_infer: { count: 1 } },
      { batch_size: 3, compute_infer: { count: 2 } },
    ]);
    expect(stats.memory_usage).toEqual([{ type: 'CPU', id: 0, byte_size: expect.any(Number) }]);
  });

  it('count merged requests once for each run that they shared', async () => {
    const many = 24;
    await Promise.all(Array.from({ length: many }, () => infer('linear', 1)));
    const [stats] = await statsOf('/linear/versions/2');
    expect(stats.inference_count).toBe(many);
    expect(stats.execution_count).toBeGreaterThan(0);
    expect(stats.execution_count).toBeLessThanOrEqual(many);
    const rows = stats.batch_stats.reduce(
      (total: number, one: { batch_size: number; compute_infer: { count: number } }) =>
        total + one.batch_size * one.compute_infer.count,
      0,
    );
    expect(rows).toBe(many);
  });

  it('of all models, of one with its versions, and of none that is not there', async () => {
    const all = await statsOf('');
    const named = all.map(({ name, version }: { name: string; version: string }) => `${name}/${version}`);
    expect(named).toEqual(['defaulted/1', 'linear/1', 'linear/2', 'mixing/1', 'strings/3']);
    expect(await statsOf('/linear')).toHaveLength(2);
    expect((await get(`${server.url}/v2/models/nobody/stats`)).status).toBe(404);
    expect((await get(`${server.url}/v2/models/linear/versions/9/stats`)).status).toBe(404);
  });
});
