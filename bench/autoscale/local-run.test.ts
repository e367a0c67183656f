import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_FLAGS } from '../hpa/spec.ts';
import { parseSchedule } from '../load/schedule-spec.ts';
import { judge, readAssertions } from '../report/assertions.ts';
import { type LocalRunOptions, runLocally } from './local-run.ts';
import { localPolicy } from './policy.ts';
import { recordOf } from './record.ts';
import { builtInTarget, type LoadTarget } from './target.ts';

const LONG = 300_000;

/** Four requests under way for each pod, of two at most; down as soon as nothing wanted more for two seconds. */
const HPA = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: quick }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: kedge }
  minReplicas: 1
  maxReplicas: 2
  metrics:
    - type: Pods
      pods:
        metric: { name: kedge_concurrency }
        target: { type: AverageValue, averageValue: "4" }
  behavior:
    scaleDown: { stabilizationWindowSeconds: 2, policies: [{ type: Percent, value: 100, periodSeconds: 1 }] }
`;

let target: LoadTarget;
beforeAll(async () => {
  target = await builtInTarget();
}, LONG);
afterAll(() => target.remove());

it(
  'goes from one replica to two and back with the load, and leaves a record of it',
  async () => {
    const options: LocalRunOptions = {
      policy: localPolicy({ text: HPA, file: 'hpa.yaml' }, { windowSeconds: 4 }),
      flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: 1 },
      target,
      load: { schedule: parseSchedule('constant:16/8s+constant:2/10s', () => ''), timeoutMs: 60_000 },
      compression: 1,
      scrapeSeconds: 1,
      requests: { cpuCores: 1, memoryBytes: 2 ** 30 },
      // Of 16 a second of half a second each, 8 are under way.
      capacity: { slots: 20, serviceMs: 500 },
      times: { preStop: 0.5 },
    };
    const told: number[] = [];
    const signal = new AbortController().signal;
    const result = await runLocally(options, {
      signal,
      onTick: ({ at }) => void told.push(at),
      tell: () => undefined,
    });
    expect(result.badExits).toEqual([]);
    expect(told.length).toBe(result.ticks.length);
    const record = recordOf(options, result, { startedAt: '2026-11-24T10:00:00Z', settings: {} });
    const assertions = readAssertions('max_error_rate: 0\nnever_above: 2\nreturns_to_min_within_s: 12', 'test');
    expect(judge(record, assertions).filter(({ holds }) => !holds)).toEqual([]);
    const { ticks, pods } = record.scaling!;
    expect(ticks[0]!.desired).toBe(1);
    expect(Math.max(...ticks.map(({ desired }) => desired))).toBe(2);
    expect(ticks.at(-1)!.desired).toBe(1);
    // 8 under way, seen in full once the window holds nothing older.
    expect(Math.max(...ticks.map(({ metrics }) => metrics[0]?.value ?? 0))).toBeGreaterThan(5);
    expect(pods.map(({ name }) => name)).toEqual(['kedge-0', 'kedge-1']);
    expect(pods[0]!.states.map(({ state }) => state)).toEqual(['ready']);
    expect(pods[0]!.inFlight.length).toBeGreaterThan(5);
  },
  LONG,
);

const short: Omit<LocalRunOptions, 'target' | 'flags'> = {
  policy: localPolicy({ text: HPA, file: 'hpa.yaml' }, { windowSeconds: 4 }),
  load: {
    schedule: { segments: [{ from: 0, to: 0.2, startRate: 50, endRate: 50, random: false }] },
    timeoutMs: 60_000,
  },
  compression: 1,
  scrapeSeconds: 0.5,
  requests: { cpuCores: 1, memoryBytes: 2 ** 30 },
};
const quiet = { signal: new AbortController().signal, onTick: () => undefined, tell: () => undefined };

it(
  'syncs from the begin of the load on, so that a short one has syncs too',
  async () => {
    const options = { ...short, target, flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: 0.1 } };
    const result = await runLocally(options, quiet);
    expect(result.ticks.length).toBeGreaterThan(0);
    expect(recordOf(options, result, { startedAt: '2026-11-24T10:00:00Z', settings: {} }).title).toMatch(
      /^Replicas 1 to 1 /,
    );
  },
  LONG,
);

it('refuses a load that is over before the second sync', async () => {
  const options = { ...short, target, flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: 15 } };
  await expect(runLocally(options, quiet)).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining('must last the 15 s of --sync at least'),
  });
});
