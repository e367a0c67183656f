import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_FLAGS } from '../../hpa/spec.ts';
import { parseSchedule } from '../../load/schedule-spec.ts';
import { judge, readAssertions } from '../../report/assertions.ts';
import type { ScalingTick } from '../../report/record.ts';
import { type LocalRunOptions, runLocally } from '../local-run.ts';
import { localPolicy } from '../policy.ts';
import { recordOf } from '../record.ts';
import { builtInTarget, type LoadTarget } from '../target.ts';

const LONG = 300_000;

/** To sleep two seconds after the last request, as a poll a second sees it. */
const MANIFEST = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: quick }
spec:
  scaleTargetRef: { name: kedge }
  minReplicaCount: 0
  maxReplicaCount: 2
  pollingInterval: 1
  cooldownPeriod: 2
  triggers: [{ type: external-push, metadata: { scalerAddress: "keda:9090", interceptorRoute: quick } }]
---
apiVersion: http.keda.sh/v1beta1
kind: InterceptorRoute
metadata: { name: quick }
spec:
  target: { service: kedge, port: 80 }
  scalingMetric: { concurrency: { targetValue: 8 } }
  timeouts: { readiness: 50s }
`;
/** Syncs at zero after which a pod is gone, not only asked to go. */
const SYNCS_ASLEEP = 3;

let target: LoadTarget;
beforeAll(async () => {
  target = await builtInTarget();
}, LONG);
afterAll(() => target.remove());

it(
  'goes from no pod to one and back to none, and answers what came meanwhile',
  async () => {
    const options: LocalRunOptions = {
      policy: localPolicy({ text: MANIFEST, file: 'zero.yaml' }, {}),
      flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: 1 },
      target,
      // Longer than any machine needs to come back to zero: the run is broken off there.
      load: { schedule: parseSchedule('constant:0/1s+constant:8/3s+constant:0/2m', () => ''), timeoutMs: 60_000 },
      compression: 1,
      scrapeSeconds: 0.5,
      requests: { cpuCores: 1, memoryBytes: 2 ** 30 },
      capacity: { slots: 20, serviceMs: 500 },
      times: { preStop: 0.2 },
    };
    const done = new AbortController();
    let asleep = 0;
    const onTick = ({ keda, current, desired }: ScalingTick): void => {
      if (keda === undefined && asleep > 0) asleep = current === 0 ? asleep + 1 : 0;
      if (keda !== undefined && desired === 0) asleep = 1;
      if (asleep > SYNCS_ASLEEP) done.abort();
    };
    const result = await runLocally(options, { signal: done.signal, onTick, tell: () => undefined });
    const record = recordOf(options, result, { startedAt: '2026-11-24T10:00:00Z', settings: {} });
    expect(record.load.total).toMatchObject({ scheduled: 24, ok: 24 });
    const must = `
max_error_rate: 0
reaches: 1
never_above: 2
returns_to_min_within_s: 60
first_answer_within_ms: 60000
`;
    expect(judge(record, readAssertions(must, 'test')).filter(({ holds }) => !holds)).toEqual([]);

    const { ticks, pods, zero, policy } = record.scaling!;
    expect(record.title).toMatch(/^Replicas 0 to [12] by keda-hpa-quick/);
    expect(policy).toMatchObject({ minReplicas: 0, inFlightTarget: 8 });
    expect([ticks[0]!.desired, ticks.at(-1)!.desired]).toEqual([0, 0]);
    expect(ticks.flatMap(({ keda }) => keda ?? [])).toEqual(['KEDAScaleTargetActivated', 'KEDAScaleTargetDeactivated']);
    expect(Math.max(...ticks.map(({ held = 0 }) => held))).toBeGreaterThan(0);
    // The pod that told what can be asked was gone before the load, and is not of the run.
    expect(pods.map(({ name }) => name)).not.toContain('kedge-0');
    expect(pods[0]!.states.map(({ state }) => state).slice(0, 3)).toEqual(['starting', 'ready', 'draining']);
    expect(zero).toMatchObject({ rejected: 0, expired: 0, wakings: [expect.objectContaining({ held: zero!.most })] });
    const { at, activated, ready, answered } = zero!.wakings[0]!;
    // The scaler is asked twice a second; the capacity that is declared takes half of one.
    expect([at, activated, ready, answered]).toEqual([at, activated, ready, answered].toSorted((a, b) => a! - b!));
    expect(answered! - ready!).toBeGreaterThan(0.4);
    expect(zero!.held.at(-1)![1]).toBe(0);
  },
  LONG,
);
