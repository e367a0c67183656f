import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  volume.add('m', 2, linearModel());
  volume.add('m', 3, linearModel(), { details: { requires: { server: '>=9' } } });
  volume.refuse('m', 4, [
    { code: 'opset', message: 'Too new.' },
    { code: 'ir-version', message: 'Too new.' },
    { code: 'opset', message: 'Too new in another domain.' },
  ]);
  await volume.write();
  server = await startTestServer(volume, { KEDGE_KEEP_READY: '1' });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

/** Lines of the metrics whose name begins so, by name and labels. */
async function metrics(prefix: string): Promise<Record<string, number>> {
  const response = await fetch(`${server.admin}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

it('tells the state of every version, and every reason against one', async () => {
  expect(await metrics('kedge_model_state')).toEqual({
    'kedge_model_state{model="m",version="1",state="available"}': 1,
    'kedge_model_state{model="m",version="2",state="ready"}': 1,
    'kedge_model_state{model="m",version="3",state="refused"}': 1,
    'kedge_model_state{model="m",version="4",state="refused"}': 1,
  });
  expect(await metrics('kedge_model_refused')).toEqual({
    'kedge_model_refused{model="m",version="3",code="server-version"}': 1,
    'kedge_model_refused{model="m",version="4",code="opset"}': 1,
    'kedge_model_refused{model="m",version="4",code="ir-version"}': 1,
  });
  expect(await metrics('kedge_active_version')).toEqual({ 'kedge_active_version{model="m"}': 2 });
  expect(Object.keys(await metrics('kedge_model_load_seconds'))).toEqual([
    'kedge_model_load_seconds{model="m",version="2"}',
  ]);
  expect(await metrics('kedge_ready')).toEqual({ kedge_ready: 1 });
  expect(await metrics('kedge_catalog_readable')).toEqual({ kedge_catalog_readable: 1 });
  expect(await metrics('kedge_build_info')).toEqual({ 'kedge_build_info{version="1.0.0"}': 1 });
});

it('counts requests by model, version and status, and nothing by names that nobody has', async () => {
  const infer = (model: string, data: unknown) =>
    post(`${server.url}/v2/models/${model}/infer`, { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] });
  await Promise.all([
    infer('m', [1, 2]),
    infer('m', [1, 2]),
    infer('m', 'x'),
    infer('evil-1', []),
    infer('evil-2', []),
  ]);
  await post(`${server.admin}/v2/models/m/infer`, '');
  await infer('m/versions/3', []);
  expect(await metrics('kedge_requests_total')).toEqual({
    'kedge_requests_total{model="m",version="2",code="200"}': 2,
    'kedge_requests_total{model="m",version="2",code="400"}': 2,
    'kedge_requests_total{model="m",version="",code="503"}': 1,
    'kedge_requests_total{model="",version="",code="404"}': 2,
  });
  const durations = await metrics('kedge_request_duration_seconds');
  expect(durations['kedge_request_duration_seconds_count{model="m",version="2"}']).toBe(4);
  expect(durations['kedge_request_duration_seconds_bucket{model="m",version="2",le="+Inf"}']).toBe(4);
  expect(durations['kedge_request_duration_seconds_sum{model="m",version="2"}']).toBeGreaterThan(0);
  const buckets = Object.entries(durations).filter(([name]) => name.includes('_bucket{model="m",version="2"'));
  expect(buckets.map(([, count]) => count)).toEqual(buckets.map(([, count]) => count).sort((a, b) => a - b));
  expect(
    (await metrics('kedge_inference_duration_seconds_count'))[
      'kedge_inference_duration_seconds_count{model="m",version="2"}'
    ],
  ).toBe(2);
});

it('tells of the requests under way, now and over time', async () => {
  const before = await metrics('kedge_inflight');
  expect(before['kedge_inflight_requests']).toBe(0);
  expect(before['kedge_inflight_seconds_total']).toBeGreaterThan(0);
  expect(await metrics('kedge_inflight_seconds_total')).toEqual({
    kedge_inflight_seconds_total: before['kedge_inflight_seconds_total'],
  });
});

it('tells of the process, and has no series twice', async () => {
  expect(Object.keys(await metrics('nodejs_eventloop_lag_seconds'))).toHaveLength(1);
  expect((await metrics('process_resident_memory_bytes'))['process_resident_memory_bytes']).toBeGreaterThan(1e6);
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const series = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(series).size).toBe(series.length);
});

it('is on the admin port alone', async () => expect((await get(`${server.url}/metrics`)).status).toBe(404));

it('drops what a version counted once it is forgotten', async () => {
  volume.add('m', 5, linearModel());
  volume.drop('m', 2);
  await volume.write();
  await vi.waitFor(async () => {
    expect(Object.keys(await metrics('kedge_requests_total')).filter((name) => name.includes('version="2"'))).toEqual(
      [],
    );
  }, 10_000);
  expect(await metrics('kedge_active_version')).toEqual({ 'kedge_active_version{model="m"}': 5 });
});
