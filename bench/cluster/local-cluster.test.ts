import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { builtInTarget, type LoadTarget } from '../autoscale/target.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadRequest } from '../load/load-options.ts';
import type { LoadRecord } from '../report/record.ts';
import { LocalCluster, type LocalClusterOptions } from './local-cluster.ts';
import { isServerReady } from './pod-process.ts';
import type { Capacity } from './proxy/capacity.ts';
import { startRunClock } from './run-clock.ts';

/** Processes start slowly on a busy machine. */
const PATIENCE = { timeout: 120_000, interval: 50 };
const LONG = 300_000;

let target: LoadTarget;
let cluster: LocalCluster | undefined;
beforeAll(async () => {
  target = await builtInTarget();
}, LONG);
afterAll(() => target.remove());
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

async function start(replicas: number, options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  cluster = await LocalCluster.start({ volume: target.volume, clock: startRunClock(1, systemClock), ...options });
  cluster.scale(replicas, 'the test begins');
  await cluster.untilReady();
  return cluster;
}

/** Load that goes on until it is told to end. */
async function load(perSecond: number): Promise<{ end(): Promise<LoadRecord> }> {
  const over = new AbortController();
  const segment = { from: 0, to: 300, startRate: perSecond, endRate: perSecond, random: false };
  const requests = await target.requests(cluster!.url);
  const driving = driveLoad(
    {
      url: cluster!.url,
      requests,
      schedule: { segments: [segment] },
      timeoutMs: 60_000,
      coarse: true,
    },
    { signal: over.signal },
  );
  return {
    end: () => {
      over.abort();
      return driving;
    },
  };
}

it(
  'scales up and down under load without a request that fails',
  async () => {
    const pods = await start(1, { times: { preStop: 0.5 } });
    const loaded = await load(20);
    pods.scale(2, 'up');
    await pods.untilReady();
    await expect.poll(async () => (await pods.proxyStats()).pods['kedge-1']?.answered, PATIENCE).toBeGreaterThan(3);
    pods.scale(1, 'down');
    await expect.poll(() => pods.pods.length, PATIENCE).toBe(1);
    const { total } = await loaded.end();
    expect(total).toMatchObject({ failed: 0, wrong: 0, dropped: 0 });
    expect(total.ok).toBeGreaterThan(3);
    const [first, second] = pods.allPods;
    expect(first!.states.map(({ state }) => state)).toEqual(['starting', 'ready']);
    expect(second!.states.map(({ state }) => state)).toEqual(['starting', 'ready', 'draining', 'gone']);
    expect(second!.exit).toEqual({ code: 0, signal: null });
  },
  LONG,
);

it(
  'replaces a pod that is killed, and tells of what it took with it',
  async () => {
    // Requests stay in a pod for long enough to be there when it dies.
    const pods = await start(2, { capacity: { slots: 8, serviceMs: 500 } });
    const loaded = await load(10);
    const openOf = async (name: string): Promise<number> => (await pods.proxyStats()).pods[name]?.open ?? 0;
    await expect.poll(() => openOf('kedge-0'), PATIENCE).toBeGreaterThan(0);
    pods.allPods[0]!.signal('SIGKILL');
    await expect
      .poll(() => pods.pods.map(({ name, state }) => [name, state]), PATIENCE)
      .toEqual([
        ['kedge-1', 'ready'],
        ['kedge-2', 'ready'],
      ]);
    const { total } = await loaded.end();
    const stats = await pods.proxyStats();
    expect(pods.allPods[0]!.states.at(-1)).toMatchObject({ state: 'gone', why: 'ended by SIGKILL' });
    expect(total.failed).toBeGreaterThan(0);
    expect(total.failed).toBe(stats.pods['kedge-0']!.broken);
    expect(total.statuses).toMatchObject({ 502: total.failed });
    expect(stats.pods['kedge-1']!.broken).toBe(0);
  },
  LONG,
);

it.each<{ what: string; capacity?: Capacity }>([
  { what: 'and answers what is under way in it' },
  { what: 'whose answers are held back until its declared time is over', capacity: { slots: 1, serviceMs: 3_000 } },
])(
  'tells a pod that drains to end, $what',
  async ({ capacity }) => {
    const pods = await start(1, { capacity, times: { preStop: 0 } });
    const [{ model, body }] = (await target.requests(pods.url)) as [LoadRequest];
    const asked = request(`${pods.url}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const answered = once(asked, 'response');
    // Under way, and not to be answered before the rest has come.
    asked.write(body.slice(0, 1));
    await expect
      .poll(async () => (await pods.proxyStats()).pods['kedge-0'], PATIENCE)
      .toMatchObject({ open: 1, held: 0 });
    const [pod] = pods.allPods;
    const { adminPort } = pod!.ports!;
    expect(await isServerReady(adminPort, LONG)).toBe(true);
    pods.scale(0, 'down');
    await expect.poll(() => isServerReady(adminPort, LONG), PATIENCE).toBe(false);
    expect(pod!.state).toBe('draining');
    asked.end(body.slice(1));
    const [answer] = (await answered) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await once(answer, 'end');
    await pod!.gone;
    expect(pod!.exit).toEqual({ code: 0, signal: null });
    expect((await pods.proxyStats()).pods['kedge-0']).toMatchObject({ open: 0, answered: 1, broken: 0 });
  },
  LONG,
);

it(
  'gives up where no pod comes to be ready, and says why',
  async () => {
    const failing = start(1, { env: { KEDGE_MAX_ROWS: 'many' } });
    await expect(failing).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringContaining('KEDGE_MAX_ROWS'),
    });
  },
  LONG,
);

it(
  'does not wait for ever for a volume that nothing ever comes to, and says what it waits for',
  async () => {
    const volume = mkdtempSync(join(tmpdir(), 'kedge-empty-'));
    // A wall of which 50 s are one of this machine's.
    const clock = startRunClock(2, {
      now: () => performance.now() * 50,
      sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
    });
    cluster = await LocalCluster.start({ volume, clock });
    try {
      cluster.scale(1, 'the test begins');
      const told: string[] = [];
      await expect(cluster.untilReady({ tell: (line) => void told.push(line) })).rejects.toMatchObject({
        code: 'model-not-ready',
        message: expect.stringMatching(
          /^0 of 1 pod came to be ready in \d+ s\. They complained of nothing: see that the volume/,
        ),
      });
      expect(told[0]).toMatch(/^0 of 1 pod ready after \d+ s$/);
      expect(told.length).toBeGreaterThan(5);
    } finally {
      rmSync(volume, { recursive: true });
    }
  },
  LONG,
);
