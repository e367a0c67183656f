import { afterEach, describe, expect, it, vi } from 'vitest';
import { loopByRequest } from '../../contract/onnx/testing/models.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { get, type Reply, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** Real requests, a real host process, and a model whose run is as long as the request says. */

const PATH = '/v2/models/loop/infer';
const SLOW_MS = 1_500;
const MIB = 2 ** 20;

let volume: TestVolume;
let server: TestServer;
afterEach(async () => {
  await server.stop();
  volume.remove();
});

async function start(env: Record<string, string>): Promise<void> {
  volume = new TestVolume();
  volume.add('loop', 1, loopByRequest(), { unproved: ['ai.onnx:Loop'] });
  await volume.write();
  server = await startTestServer(volume, { KEDGE_GRACE_SECONDS: '1', ...env });
  await server.settle();
}

const bodyOf = (steps: number): string =>
  JSON.stringify({
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
      { name: 'steps', datatype: 'INT64', shape: [1], data: [steps * 2] },
    ],
  });
const send = (steps: number, headers: Record<string, string> = {}, padding = 0): Promise<Reply> =>
  get(server.url + PATH, { method: 'POST', body: bodyOf(steps) + ' '.repeat(padding), headers });

/** So many steps as take this machine about {@link SLOW_MS}. */
async function slowSteps(): Promise<number> {
  const tried = 10_000;
  await send(1);
  const began = performance.now();
  expect((await send(tried)).status).toBe(200);
  return Math.ceil((tried * SLOW_MS) / (performance.now() - began));
}

async function metrics(pattern: RegExp): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const found = [...text.matchAll(pattern)].map(([, name, value]): [string, number] => [name!, Number(value)]);
  return Object.fromEntries(found.filter(([, value]) => value > 0));
}
const turnedAway = () => metrics(/^kedge_turned_away_total\{.*model="loop",.*reason="(\w+)"\} (\d+)$/gm);
const statuses = () => metrics(/^kedge_requests_total\{model="loop",.*code="(\d+)"\} (\d+)$/gm);
const runs = async (): Promise<number> =>
  (await get(`${server.admin}/v2/models/loop/stats`)).body.model_stats[0].execution_count;
const waiting = (count: number): Promise<void> =>
  vi.waitFor(async () =>
    expect(await metrics(/^(kedge_queue_rows)\{.*\} (\d+)$/gm)).toEqual({ kedge_queue_rows: count }),
  );

function expectTurnedAway({ status, body, headers }: Reply, code: string): void {
  expect([status, body.code, typeof body.error]).toEqual([503, code, 'string']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}

describe('item 33: more than can be answered', () => {
  it('a full queue, a deadline and a client that goes: each told at once, counted by its reason, and never run', async () => {
    await start({ KEDGE_QUEUE_ROWS: '4', KEDGE_QUEUE_MB: '1' });
    const steps = await slowSteps();
    const before = await runs();
    let slowEnded = false;
    const slow = send(steps).finally(() => {
      slowEnded = true;
    });
    await waiting(1);
    const gone = new RawConnection(server.port);
    gone.write(postHead(PATH, { 'content-length': bodyOf(1).length }) + bodyOf(1));
    await waiting(2);
    const next = send(1);
    await waiting(3);
    // What cannot be in time is refused by what a row costs; what may be is dropped when its time is over.
    expectTurnedAway(await send(1, { 'kedge-timeout-ms': '2' }), 'overloaded');
    expectTurnedAway(await send(1, {}, MIB), 'overloaded');
    const last = send(1);
    await waiting(4);
    expectTurnedAway(await send(1), 'overloaded');
    gone.end();
    expect(slowEnded).toBe(false);

    expect([(await slow).status, (await next).status, (await last).status]).toEqual([200, 200, 200]);
    await vi.waitFor(async () => expect(await turnedAway()).toEqual({ deadline: 1, bytes: 1, rows: 1, cancelled: 1 }));
    expect(await statuses()).toEqual({ 200: 5, 499: 1, 503: 3 });
    expect((await runs()) - before).toBe(3);
    expect((await send(1)).body.outputs[0].data).toEqual([1, 2, 3]);
  }, 60_000);

  it('a request whose time is over while it waits gets its 503 then, and is not run', async () => {
    await start({ KEDGE_RUN_TIMEOUT_SECONDS: '2' });
    const stuck = new RawConnection(server.port);
    const endless = bodyOf(2 ** 50);
    stuck.write(postHead(PATH, { 'content-length': endless.length }) + endless);
    await waiting(1);
    // Nothing was run yet, so that nobody knows what a row costs: it is admitted.
    expectTurnedAway(await send(1, { 'kedge-timeout-ms': '100' }), 'engine-timeout');
    expect(await turnedAway()).toEqual({ expired: 1 });
    // The client of a run that is under way goes, too: the run is ended at its limit, and the next request is answered.
    stuck.end();
    await vi.waitFor(async () => expect((await send(1)).status).toBe(200), { timeout: 20_000, interval: 200 });
    expect((await statuses())['499']).toBe(1);
  }, 60_000);

  it('more refusals than the loop can bear at once: all are told', async () => {
    await start({ KEDGE_QUEUE_ROWS: '1', KEDGE_RUN_TIMEOUT_SECONDS: '60' });
    const slow = send(5 * (await slowSteps()));
    await waiting(1);
    const replies = await Promise.all(Array.from({ length: 450 }, () => send(1)));
    // On a machine that is slow enough, the last of them come after the run.
    const refused = replies.filter(({ status }) => status !== 200);
    for (const reply of refused) expectTurnedAway(reply, 'overloaded');
    expect(refused.length).toBeGreaterThan(0);
    expect((await slow).status).toBe(200);
    expect(await turnedAway()).toEqual({ rows: refused.length });
  }, 60_000);

  it('a wait longer than the queue allows', async () => {
    await start({ KEDGE_QUEUE_SECONDS: '0.2' });
    const steps = await slowSteps();
    expect((await send(steps)).status).toBe(200);
    const slow = send(steps);
    await waiting(1);
    expectTurnedAway(await send(1), 'overloaded');
    expect(await turnedAway()).toEqual({ wait: 1 });
    expect((await slow).status).toBe(200);
  }, 60_000);
});
