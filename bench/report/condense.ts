import type { Latency, LoadInterval, RunRecord } from './record.ts';

/** Seconds that were put together, so that a long run is not drawn finer than a screen shows. */
export interface Bucket {
  at: number;
  /** As many seconds are in it. */
  seconds: number;
  /** All a second on the wall, on average. */
  scheduled: number;
  ok: number;
  /** Failed, wrong and dropped. */
  bad: number;
  /** Answers a second by version. */
  versions: Readonly<Record<string, number>>;
  /** Of its worst second: percentiles cannot be averaged. */
  latency?: Latency;
  /** The most at the end of a second. */
  inFlight: number;
}

const MOST = 900;

/** At most about 900 buckets of equal length, none shorter than a second on the wall: in compressed time, one of the run's own holds few requests. */
export function condense({ load: { intervals }, seconds, compression }: RunRecord): Bucket[] {
  const length = Math.max(1, Math.ceil(seconds / MOST), Math.round(compression));
  const groups = Map.groupBy(intervals, ({ at }) => Math.floor(at / length));
  return [...groups.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, group]) => bucketOf(index * length, group, compression));
}

function bucketOf(at: number, group: readonly LoadInterval[], compression: number): Bucket {
  const seconds = group.length;
  const perSecond = (count: (interval: LoadInterval) => number): number =>
    (group.reduce((total, interval) => total + count(interval), 0) / seconds) * compression;
  const names = new Set(group.flatMap(({ versions }) => Object.keys(versions)));
  const latencies = group.flatMap(({ latency }) => (latency ? [latency] : []));
  const worst = (key: keyof Latency): number => Math.max(...latencies.map((latency) => latency[key]));
  return {
    at,
    seconds,
    scheduled: perSecond(({ scheduled }) => scheduled),
    ok: perSecond(({ ok }) => ok),
    bad: perSecond(({ scheduled, ok }) => scheduled - ok),
    versions: Object.fromEntries([...names].map((name) => [name, perSecond(({ versions }) => versions[name] ?? 0)])),
    ...(latencies.length > 0
      ? { latency: { p50: worst('p50'), p90: worst('p90'), p99: worst('p99'), p999: worst('p999'), max: worst('max') } }
      : {}),
    inFlight: Math.max(...group.map(({ inFlight }) => inFlight)),
  };
}
