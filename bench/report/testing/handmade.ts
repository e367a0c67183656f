import type { LoadInterval, LoadTotal, PodRecord, RunRecord, ScalingRecord, ScalingTick } from '../record.ts';
import { totalOf } from './example.ts';

type Second = Partial<Omit<LoadInterval, 'at'>>;

/** What came of the requests of one second; what is not said went well. */
function interval(at: number, second: Second): LoadInterval {
  const { scheduled = 10, wrong = 0, failed = 0, dropped = 0 } = second;
  const ok = second.ok ?? scheduled - wrong - failed - dropped;
  const latency = { p50: 5_000, p90: 8_000, p99: 20_000, p999: 30_000, max: 40_000 };
  return {
    at,
    scheduled,
    ok,
    wrong,
    failed,
    dropped,
    ...(ok + wrong > 0 ? { latency } : {}),
    inFlight: 1,
    statuses: { 200: ok + wrong, ...(failed > 0 ? { 503: failed } : {}) },
    versions: ok > 0 ? { 'm/1': ok } : {},
    ...second,
  };
}

/** A sync: `[at, desired, ready, wanted]`; what is wanted is what is desired if it is not said. */
export type HandTick = readonly [at: number, desired: number, ready: number, wanted?: number];

export function handmadeScaling(
  ticks: readonly HandTick[],
  more: { min?: number; max?: number; pods?: PodRecord[]; tick?: Partial<ScalingTick> } = {},
): ScalingRecord {
  return {
    by: 'model',
    policy: { name: 'p', minReplicas: more.min ?? 1, maxReplicas: more.max ?? 10, metrics: ['m, 4 for each pod'] },
    ticks: ticks.map(([at, desired, ready, wanted = desired], index) => ({
      at,
      current: ticks[index - 1]?.[1] ?? desired,
      desired,
      wanted,
      ready,
      metrics: [{ name: 'm', value: 1, target: 4 }],
      scalingActive: 'ValidMetricFound',
      ...more.tick,
    })),
    pods: more.pods ?? [],
  };
}

/** A run of one interval for each second, and nothing but what a test is about. */
export function handmade(
  seconds: readonly Second[],
  { total, ...more }: Partial<RunRecord> & { total?: Partial<LoadTotal> } = {},
): RunRecord {
  const intervals = seconds.map((second, at) => interval(at, second));
  return {
    schemaVersion: 1,
    kind: 'load',
    title: 'by hand',
    startedAt: '2026-11-28T21:04:00Z',
    seconds: intervals.length,
    compression: 1,
    machine: { cpu: 'c', cores: 2, memoryBytes: 2 ** 30, os: 'o', node: 'v24.0.0', kedge: '1.0.0' },
    settings: {},
    honesty: { real: [], declared: [] },
    load: { intervals, total: { ...totalOf(intervals), ...total } },
    verdicts: [],
    ...more,
  };
}

/** As many seconds with as many requests each: `[20, 10], [30, 100]` is 20 s of 10 a second, then 30 s of 100. */
export function rates(...parts: readonly (readonly [seconds: number, scheduled: number])[]): { scheduled: number }[] {
  return parts.flatMap(([seconds, scheduled]) => Array.from({ length: seconds }, () => ({ scheduled })));
}
