import { expect, it } from 'vitest';
import type { Cluster, PodView } from '../cluster/cluster.ts';
import { DEFAULT_FLAGS } from '../hpa/spec.ts';
import { localPolicy } from './policy.ts';
import { Syncs } from './syncs.ts';

const manifest = (trigger: string): { file: string; text: string } => ({
  file: 'so.yaml',
  text: `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: web }
spec:
  scaleTargetRef: { name: web }
  minReplicaCount: 0
  maxReplicaCount: 5
  pollingInterval: 30
  cooldownPeriod: 60
  triggers: [${trigger}]
---
apiVersion: http.keda.sh/v1beta1
kind: InterceptorRoute
metadata: { name: web }
spec: { scalingMetric: { concurrency: { targetValue: 4 } } }
`,
});
const PUSHED = '{ type: external-push, metadata: { interceptorRoute: web } }';
const POLLED =
  '{ type: prometheus, metadata: { query: interceptor_request_concurrency, threshold: "4", activationThreshold: "2" } }';

/** Pods that are ready at once. The clock of the pods reads 1,000 when the run begins. */
function start(trigger: string) {
  let [now, pending] = [1_000, 0];
  let pods: PodView[] = [];
  const cluster: Cluster = {
    url: '',
    get pods() {
      return pods;
    },
    get replicas() {
      return pods.length;
    },
    scale: (replicas) => {
      pods = Array.from({ length: replicas }, (_, index): PodView => {
        const states = [{ at: now, state: 'ready' as const }];
        const name = `p${index}`;
        return (
          pods[index] ?? {
            name,
            state: 'ready',
            since: now,
            states,
            startedAt: now,
            pid: 1,
            ports: undefined,
            everReady: true,
          }
        );
      });
    },
  };
  const syncs = new Syncs({
    policy: localPolicy(manifest(trigger), {}),
    flags: DEFAULT_FLAGS,
    cluster,
    now: () => now,
    zero: () => 1_000,
    readings: () => [{ total: pending * 1_000 }],
    held: () => pending,
  });
  return {
    syncs,
    /** At a second of the run, with so many requests in front of the pods. */
    at: (second: number, requests: number): Syncs => {
      now = 1_000 + second;
      pending = requests;
      return syncs;
    },
  };
}

it('KEDA wakes what sleeps, its HPA scales it, and KEDA puts it to sleep at a poll after the cooldown', () => {
  const { syncs, at } = start(PUSHED);
  expect(at(0, 0).sync()).toMatchObject({ current: 0, desired: 0, scalingActive: 'ScalingDisabled' });
  expect(at(0, 0).keda('poll')).toBeUndefined();
  expect(at(5, 0).keda('push')).toBeUndefined();
  expect(at(5.5, 3).keda('push')).toEqual({
    at: 5.5,
    current: 0,
    desired: 1,
    wanted: 1,
    ready: 0,
    held: 3,
    metrics: [{ name: 's0-http_web_concurrency', target: 4, value: 3 }],
    // What its HPA told last.
    ableToScale: 'SucceededGetScale',
    scalingActive: 'ScalingDisabled',
    keda: 'KEDAScaleTargetActivated',
  });
  expect(at(15, 11).sync()).toMatchObject({ current: 1, desired: 3, scalingActive: 'ValidMetricFound' });
  expect(at(29, 11).keda('push')).toBeUndefined();
  // The HPA keeps what it had for the window of its scale-down; KEDA does not ask it.
  expect(at(75, 0).sync()).toMatchObject({ current: 3, desired: 3, ableToScale: 'ScaleDownStabilized' });
  expect(at(89, 0).keda('push')).toBeUndefined();
  expect(at(89, 0).keda('poll')).toBeUndefined();
  expect(at(89.5, 0).keda('poll')).toMatchObject({ current: 3, desired: 0, keda: 'KEDAScaleTargetDeactivated' });
  expect(at(90, 0).sync()).toMatchObject({ current: 0, desired: 0, scalingActive: 'ScalingDisabled' });
  expect(syncs.ticks.map(({ at: second }) => second)).toEqual([0, 5.5, 15, 75, 89.5, 90]);
});

it('waits for a poll and the activation threshold, where no trigger tells by itself', () => {
  const { at } = start(POLLED);
  expect(at(1, 9).keda('push')).toBeUndefined();
  expect(at(30, 2).keda('poll')).toBeUndefined();
  expect(at(60, 3).keda('poll')).toMatchObject({ current: 0, desired: 1 });
});
