import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { createInlineEngine } from '../../engine/inline.ts';
import { ClientGone } from '../gate/client-gone.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';
import { failureOf, SIZE_BUCKETS, Sizes } from '../work-stats.ts';

const body = (rows: number) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], data: new Array(rows * 2).fill(1) }],
});

async function metrics(server: TestServer, prefix = 'nv_'): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('over HTTP', () => {
  let volume: TestVolume;
  let server: TestServer;
  beforeAll(async () => {
    volume = new TestVolume();
    volume.add('m', 1, linearModel());
    volume.add('idle', 7, linearModel());
    await volume.write();
    server = await startTestServer(volume);
    await server.settle();
  });
  afterAll(async () => {
    await server.stop();
    volume.remove();
  });

  const infer = (rows: unknown, headers: Record<string, string> = {}) =>
    post(`${server.url}/v2/models/m/infer`, typeof rows === 'number' ? body(rows) : rows, { headers });

  it('a version that is ready has every series, at 0', async () => {
    const of = 'model="idle",version="7"';
    const series = Object.entries(await metrics(server)).filter(([name]) => name.includes(of));
    expect(series.map(([name, value]) => [name.replace(`{${of}`, '{'), value])).toEqual([
      ['nv_inference_request_success{}', 0],
      ...['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map((reason) => [
        `nv_inference_request_failure{,reason="${reason}"}`,
        0,
      ]),
      ['nv_inference_count{}', 0],
      ['nv_inference_exec_count{}', 0],
      ['nv_inference_request_duration_us{}', 0],
      ['nv_inference_queue_duration_us{}', 0],
      ['nv_inference_compute_input_duration_us{}', 0],
      ['nv_inference_compute_infer_duration_us{}', 0],
      ['nv_inference_compute_output_duration_us{}', 0],
      ['nv_inference_pending_request_count{}', 0],
      ['nv_model_load_duration_secs{}', expect.any(Number)],
    ]);
  });

  it('agrees with the statistics extension after real requests, merged ones among them', async () => {
    const good = await Promise.all([1, 2, 3, 1, 1, 5].map((rows) => infer(rows)));
    const bad = [await infer('x'), await infer(1, { 'kedge-timeout-ms': '0.00001' })];
    expect([...good, ...bad].map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 400, 503]);
    const gone = new RawConnection(server.port);
    gone.write(`${postHead('/v2/models/m/infer', { 'content-length': 1000 })}{"inputs"`);
    await vi.waitFor(async () =>
      expect((await metrics(server, 'kedge_inflight_requests')).kedge_inflight_requests).toBe(1),
    );
    gone.end();
    await vi.waitFor(async () =>
      expect((await metrics(server, 'kedge_inflight_requests')).kedge_inflight_requests).toBe(0),
    );

    const seen = await metrics(server);
    const nv = (name: string, more = ''): number | undefined => seen[`${name}{model="m",version="1"${more}}`];
    const [stats] = (await get(`${server.admin}/v2/models/m/stats`)).body.model_stats;
    const { success, fail, queue, compute_input, compute_infer, compute_output } = stats.inference_stats;
    expect(success.count).toBe(6);
    expect(nv('nv_inference_request_success')).toBe(success.count);
    const failures = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map((reason) =>
      nv('nv_inference_request_failure', `,reason="${reason}"`),
    );
    expect([failures, fail.count]).toEqual([[1, 1, 0, 1], 3]);
    expect([nv('nv_inference_count'), stats.inference_count]).toEqual([13, 13]);
    expect(nv('nv_inference_exec_count')).toBe(stats.execution_count);
    for (const [name, { ns }] of [
      ['request', success],
      ['queue', queue],
      ['compute_input', compute_input],
      ['compute_infer', compute_infer],
      ['compute_output', compute_output],
    ] as const) {
      expect([name, ns > 0]).toEqual([name, true]);
      expect([name, nv(`nv_inference_${name}_duration_us`)]).toEqual([name, Math.round(ns / 1_000)]);
    }
    const runs = await metrics(server, 'kedge_run_');
    const of = '{model="m",version="1"}';
    expect([runs[`kedge_run_rows_count${of}`], runs[`kedge_run_rows_sum${of}`]]).toEqual([
      stats.execution_count,
      expect.closeTo(13),
    ]);
    expect([runs[`kedge_run_requests_count${of}`], runs[`kedge_run_requests_sum${of}`]]).toEqual([
      stats.execution_count,
      expect.closeTo(6),
    ]);
  });

  it('tells of the memory of the machine, and of versions', async () => {
    const total = (await metrics(server))['nv_cpu_memory_total_bytes']!;
    const used = (await metrics(server))['nv_cpu_memory_used_bytes']!;
    expect([total > 2 ** 20, used > 0, used <= total]).toEqual([true, true, true]);
    const memory = await metrics(server, 'kedge_m');
    const [idle, m] = ['{model="idle",version="7"}', '{model="m",version="1"}'].map(
      (of) => memory[`kedge_model_memory_bytes${of}`]!,
    );
    expect(memory['kedge_memory_taken_bytes']).toBe(idle! + m!);
  });
});

it('tells of the budget where there is one', async () => {
  const volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  const server = await startTestServer(volume, { KEDGE_MEMORY_BUDGET_MB: '100' });
  expect((await metrics(server, 'kedge_memory_budget'))['kedge_memory_budget_bytes']).toBeLessThanOrEqual(
    100 * 2 ** 20,
  );
  await server.stop();
  volume.remove();
});

it('counts as pending what waits for its run, and nothing once it ran', async () => {
  const volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  const clock = new ManualClock();
  const inline = createInlineEngine({ clock, batch: { waitMs: 1_000 } });
  const server = await startTestServer(volume, {}, { engines: { inline, host: new FakeEngine() } });
  const settled = server.settle();
  // The trial and the warm-up wait for company as well.
  await vi.waitFor(async () => {
    await clock.advance(1_000);
    expect(server.manager.model('m')?.active).toBeDefined();
  });
  await settled;
  const pending = async () => (await metrics(server))['nv_inference_pending_request_count{model="m",version="1"}'];
  const requests = [1, 1, 1].map((rows) => post(`${server.url}/v2/models/m/infer`, body(rows)));
  await vi.waitFor(async () => expect(await pending()).toBe(3));
  await clock.advance(1_000);
  expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await pending()).toBe(0);
  const runs = await metrics(server, 'kedge_run_requests');
  const of = (le: string): number | undefined => runs[`kedge_run_requests_bucket{model="m",version="1",le="${le}"}`];
  expect([of('2'), of('4'), of('+Inf')]).toEqual([0, 1, 1]);
  await server.stop();
  volume.remove();
});

describe('a failure', () => {
  it.each<[string, unknown, number | undefined, string]>([
    ['refused for want of time or room', new KedgeError('overloaded', ''), undefined, 'REJECTED'],
    ['late by its own time', new KedgeError('engine-timeout', ''), 0, 'REJECTED'],
    ['late by the limit of a run', new KedgeError('engine-timeout', ''), undefined, 'BACKEND'],
    ['late by the limit of a run, with time left', new KedgeError('engine-timeout', ''), 50, 'BACKEND'],
    ['of the process', new KedgeError('engine-crashed', ''), undefined, 'BACKEND'],
    ['of the runtime', new KedgeError('engine-failed', ''), undefined, 'BACKEND'],
    ['of inputs', new KedgeError('request-invalid', ''), undefined, 'OTHER'],
    ['of a client that went away', new ClientGone(), undefined, 'CANCELED'],
    ['nobody thought of', new TypeError('x'), undefined, 'OTHER'],
  ])('%s', (_, error, leftMs, reason) => expect(failureOf(error, leftMs)).toBe(reason));
});

describe('sizes', () => {
  it.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [1024, 10],
    [1025, 11],
    [1_000_000, 11],
  ])('%i falls in the bucket %i', (size, bucket) => {
    const sizes = new Sizes();
    sizes.add(size, 1);
    expect(sizes.counts.indexOf(1)).toBe(bucket);
    expect(size <= (SIZE_BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)).toBe(true);
    expect(bucket === 0 || size > SIZE_BUCKETS[bucket - 1]!).toBe(true);
  });

  it('shares of a run make one run', () => {
    const sizes = new Sizes();
    for (let request = 0; request < 3; request += 1) sizes.add(6, 1 / 3);
    expect([sizes.counts[3], sizes.sum]).toEqual([expect.closeTo(1), expect.closeTo(6)]);
  });
});
