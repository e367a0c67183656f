import { type MetricNow, NEW_HPA, reconcile } from '../../hpa/reconcile.ts';
import { MetricUnusable } from '../../hpa/replicas.ts';
import { behaviorOf, DEFAULT_FLAGS } from '../../hpa/spec.ts';
import type { Latency, LoadInterval, LoadTotal, PodRecord, RunRecord, ScalingTick } from '../record.ts';

/** What an example is made of; the rest is the same for all. */
export interface Example {
  seconds?: number;
  /** Seconds from a pod's start until it is ready. */
  startSeconds?: number;
  target?: number;
  model?: string;
  /** Seconds in which the metric cannot be had. */
  blind?: readonly [from: number, until: number];
}

/** Requests a second that a pod can answer, and how long it works on one alone, in microseconds. */
const CAPACITY = 60;
const SERVICE_US = 9_000;
const SYNC_SECONDS = 15;

const rateAt = (at: number, seconds: number): number => {
  const part = at / seconds;
  if (part < 0.1 || part > 0.55) return 35;
  return 330 + 70 * Math.sin(part * 40);
};

/** The same chance for each call with the same number. */
const chance = (seed: number): number => {
  const x = Math.sin(seed * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
};

/**
 * A run of one replica to several and back, with a new version in its midst, made by a rough model of a server and the real arithmetic of the HPA: for
 * pictures and tests of the report. Nothing in it was measured.
 */
export function exampleRecord(example: Example = {}): RunRecord {
  const { seconds = 720, startSeconds = 9, target = 4, model = 'demand', blind = [0, 0] } = example;
  const pods: (PodRecord & { states: PodRecord['states'][number][]; inFlight: [number, number][] })[] = [];
  const ticks: ScalingTick[] = [];
  const intervals: LoadInterval[] = [];
  const spec = {
    minReplicas: 1,
    maxReplicas: 10,
    behavior: behaviorOf(
      {
        scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 30 }] },
        scaleDown: { stabilizationWindowSeconds: 90, policies: [{ type: 'Pods', value: 2, periodSeconds: 30 }] },
      },
      DEFAULT_FLAGS,
    ),
  };
  let [hpa, queue, replicas, flying] = [NEW_HPA, 0, 1, 1];
  const start = (at: number, ready = at + startSeconds): void => {
    const states: PodRecord['states'][number][] = [
      { at, state: 'starting' },
      { at: ready, state: 'ready' },
    ];
    pods.push({ name: `kedge-${(pods.length + 0x4f1a).toString(36)}-${pods.length}`, states, inFlight: [] });
  };
  const is = (pod: PodRecord, at: number, state: string): boolean =>
    pod.states.findLast((one) => one.at <= at)?.state === state;
  start(0, 0);
  for (let at = 0; at < seconds; at += 1) {
    const ready = pods.filter((pod) => is(pod, at, 'ready'));
    if (at % SYNC_SECONDS === 0) {
      const metric: MetricNow = {
        kind: 'Pods',
        propose() {
          if (at >= blind[0] && at < blind[1]) throw new MetricUnusable('no sample');
          const within = Math.abs(flying / (target * replicas) - 1) <= 0.1;
          return { replicas: within ? replicas : Math.ceil(flying / target), usage: 0, average: 0 };
        },
      };
      const flags = { downscaleStabilizationSeconds: 300 };
      const sync = { spec, current: replicas, metrics: [metric], ...flags, now: at };
      const { desired, wanted, ableToScale, scalingActive, scalingLimited, state } = reconcile(hpa, sync);
      ticks.push({
        at,
        current: replicas,
        desired,
        ready: ready.length,
        metrics: [
          { name: 'kedge_in_flight', target, ...(wanted === undefined ? {} : { value: flying / ready.length }) },
        ],
        scalingActive,
        ...(wanted === undefined ? {} : { wanted }),
        ...(ableToScale ? { ableToScale } : {}),
        ...(scalingLimited ? { scalingLimited } : {}),
      });
      hpa = state;
      for (let more = replicas; more < desired; more += 1) start(at + 0.4);
      for (const pod of ready.slice(desired)) {
        pod.states.push({ at: at + 0.2, state: 'draining', why: 'scaled down' }, { at: at + 5.2, state: 'gone' });
      }
      replicas = desired;
    }
    const rate = rateAt(at, seconds);
    const scheduled = Math.max(0, Math.round(rate + (chance(at) - 0.5) * Math.sqrt(rate) * 3));
    const room = ready.length * CAPACITY;
    queue = Math.max(0, queue + scheduled - room);
    const failed = Math.max(0, Math.round(queue - ready.length * 130));
    queue -= failed;
    const busy = Math.min(0.97, scheduled / room);
    const wait = (queue / room) * 1e6;
    const base = SERVICE_US / (1 - busy ** 3) + wait;
    const spread = (by: number, seed: number): number => Math.round(base * by * (0.92 + 0.16 * chance(at + seed)));
    const latency: Latency = {
      p50: spread(1, 0.1),
      p90: spread(1.5, 0.2),
      p99: spread(2.6, 0.3),
      p999: spread(4.1, 0.4),
      max: spread(5.5, 0.5),
    };
    const ok = scheduled - failed;
    flying = ok * (base / 1e6) * 2 + queue;
    for (const pod of ready)
      pod.inFlight.push([at, (flying / ready.length) * (0.85 + 0.3 * chance(at + pods.indexOf(pod)))]);
    const fresh = Math.round(ok * Math.min(1, Math.max(0, (at - seconds * 0.42) / 12)));
    intervals.push({
      at,
      scheduled,
      ok,
      wrong: 0,
      failed,
      dropped: 0,
      latency,
      inFlight: Math.round(flying),
      statuses: failed > 0 ? { 200: ok, 503: failed } : { 200: ok },
      versions: Object.fromEntries(
        Object.entries({ [`${model}/7`]: ok - fresh, [`${model}/8`]: fresh }).filter(([, count]) => count > 0),
      ),
    });
  }
  return {
    schemaVersion: 1,
    kind: 'autoscale',
    title: `${model}: one replica to several and back`,
    startedAt: '2026-11-28T21:04:00Z',
    seconds,
    compression: 1,
    machine: {
      cpu: 'Example 9000',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      os: 'Debian GNU/Linux 12 (bookworm), Linux 6.1 x64',
      node: 'v24.21.0',
      kedge: '1.0.0',
      commit: '0123456789ab',
    },
    settings: { hpa: 'manifests/base/hpa.yaml', schedule: 'steps', capacity: CAPACITY, seed: 1 },
    honesty: {
      real: ['Server processes, their start, readiness and drain.', 'Each request and each answer.'],
      declared: [`A pod answers ${CAPACITY} requests a second, as pods share the cores of one machine.`],
    },
    load: { intervals, total: totalOf(intervals) },
    scaling: {
      by: 'model',
      policy: {
        name: 'kedge-server',
        minReplicas: spec.minReplicas,
        maxReplicas: spec.maxReplicas,
        metrics: [`Pods kedge_in_flight, ${target} for each pod`],
        inFlightTarget: target,
      },
      ticks,
      pods,
    },
    verdicts: [],
  };
}

/** Sums; the percentiles are only near, as intervals do not hold what exact ones need. */
export function totalOf(intervals: readonly LoadInterval[]): LoadTotal {
  const sum = (key: 'scheduled' | 'ok' | 'wrong' | 'failed' | 'dropped'): number =>
    intervals.reduce((total, interval) => total + interval[key], 0);
  const merge = (key: 'statuses' | 'versions'): Record<string, number> => {
    const merged: Record<string, number> = {};
    for (const interval of intervals) {
      for (const [name, count] of Object.entries(interval[key])) merged[name] = (merged[name] ?? 0) + count;
    }
    return merged;
  };
  const worst = (key: keyof Latency, share: number): number => {
    const values = intervals.flatMap(({ latency }) => (latency ? [latency[key]] : [])).sort((a, b) => a - b);
    return values[Math.floor((values.length - 1) * share)] ?? 0;
  };
  return {
    scheduled: sum('scheduled'),
    ok: sum('ok'),
    wrong: sum('wrong'),
    failed: sum('failed'),
    dropped: sum('dropped'),
    ...(intervals.some(({ latency }) => latency)
      ? {
          latency: {
            p50: worst('p50', 0.5),
            p90: worst('p90', 0.9),
            p99: worst('p99', 0.97),
            p999: worst('p999', 0.99),
            max: worst('max', 1),
          },
        }
      : {}),
    statuses: merge('statuses'),
    versions: merge('versions'),
    behindP99: 480,
  };
}
