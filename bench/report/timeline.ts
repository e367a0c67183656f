import type { LoadInterval, RunRecord, ScalingRecord } from './record.ts';

/** What holds from each time on, until the next: in order of time. */
export type Steps = readonly (readonly [at: number, value: number])[];

/** @returns undefined before the first step */
export function valueAt(steps: Steps, at: number): number | undefined {
  return steps.findLast((step) => step[0] <= at)?.[1];
}

/**
 * Replicas that the load asked for, held within the policy's bounds: what the metrics wanted at each sync, or what was decided where that is not known
 * (rates and stabilization are in it then).
 */
export function demandOf({ ticks, policy }: ScalingRecord): Steps {
  return ticks.map(({ at, wanted, desired }) => [
    at,
    Math.min(policy.maxReplicas, Math.max(policy.minReplicas, wanted ?? desired)),
  ]);
}

export function desiredOf({ ticks }: ScalingRecord): Steps {
  return ticks.map(({ at, desired }) => [at, desired]);
}

/** Ready replicas: of the pods, each at its own time; of the syncs where no pod was seen. */
export function readyOf({ ticks, pods }: ScalingRecord): Steps {
  if (pods.length === 0) return ticks.map(({ at, ready }) => [at, ready]);
  const changes = pods
    .flatMap(({ states }) =>
      states.map(({ at, state }, index) => ({
        at,
        by: Number(state === 'ready') - Number(states[index - 1]?.state === 'ready'),
      })),
    )
    .filter(({ by }) => by !== 0)
    .sort((a, b) => a.at - b.at);
  const steps: [number, number][] = [[0, 0]];
  for (const { at, by } of changes) {
    const last = steps.at(-1)!;
    if (last[0] === at) last[1] += by;
    else steps.push([at, last[1] + by]);
  }
  return steps;
}

/** How long the replicas were behind what was asked for. Times in seconds of the run. */
export interface Lag {
  /** As many as were asked for. */
  replicas: number;
  /** When the load changed for it, where a change is to be seen in the syncs before; else the sync that asked. */
  from: number;
  /** The first sync that asked. */
  asked: number;
  /** When as many were ready, or no longer asked for; the end of the run where neither came. */
  until: number;
  end: 'met' | 'withdrawn' | 'open';
}

/**
 * For each number of replicas that was asked for while fewer were ready (`up`) or more (`down`): how long it took. A number that is asked for again
 * later counts again.
 */
export function lagsOf({ load, scaling, seconds }: RunRecord, direction: 'up' | 'down'): Lag[] {
  if (!scaling) return [];
  // Downwards is upwards in negative numbers.
  const sign = direction === 'up' ? 1 : -1;
  const demand = demandOf(scaling).map(([at, value]) => [at, sign * value] as const);
  const ready = readyOf(scaling).map(([at, value]) => [at, sign * value] as const);
  const causes = causesOf(demand, load.intervals, sign, backOf(scaling, demand, direction));
  const levels = [...new Set(demand.map(([, value]) => value))];
  return levels.flatMap((level) =>
    demand.flatMap(([asked, value], index) => {
      const before = demand[index - 1]?.[1];
      const isFirst = value >= level && (before === undefined || before < level);
      // What a look finds decided may be carried out by then.
      const since = scaling.by === 'cluster' ? (demand[index - 1]?.[0] ?? asked) : asked;
      if (!isFirst || (valueAt(ready, since) ?? 0) >= level) return [];
      const reached = ready.find((step) => step[0] > since && step[1] >= level)?.[0];
      const met = reached === undefined ? undefined : Math.max(reached, asked);
      const withdrawn = demand.find((step) => step[0] > asked && step[1] < level)?.[0];
      const until = Math.min(met ?? seconds, withdrawn ?? seconds);
      const end = until === met ? 'met' : until === withdrawn ? 'withdrawn' : 'open';
      return { replicas: sign * level, from: causes.get(index) ?? asked, asked, until, end };
    }),
  );
}

/** From when on a change of the load may be what one of the syncs asks for, that many syncs before it. */
type Back = (index: number, syncs: number) => number;

/** The default of the controller. */
const SYNC_SECONDS = 15;

function backOf({ by }: ScalingRecord, demand: Steps, direction: 'up' | 'down'): Back {
  if (by === 'model') return (index, syncs) => demand[index - syncs]?.[0] ?? 0;
  // A cluster is looked at more often than it syncs, and does not tell how often that is.
  if (direction === 'up') return (index, syncs) => Math.max(0, demand[index]![0] - syncs * SYNC_SECONDS);
  // Nor does it tell what its window holds back: the load fell at some time since more were decided on.
  return (index) => demand.findLast(([, value], at) => at > 0 && at < index && value < demand[at - 1]![1])?.[0] ?? 0;
}

/** Syncs before one that asks within which the load may have changed for it: metrics are averages, and late. */
const LATE_SYNCS = 4;
/** The same where a sync just before asked for more already. */
const GROWING_SYNCS = 2;

/**
 * For each sync that asked for more than the one before: when the load changed for it. A demand that grows from sync to sync after one step of the load goes
 * back to that step; one that grows with the load goes back to its latest change.
 */
function causesOf(demand: Steps, intervals: readonly LoadInterval[], sign: 1 | -1, back: Back): Map<number, number> {
  const span = spanOf(intervals.map(({ scheduled }) => scheduled));
  const rates = ratesOver(intervals, span);
  const causes = new Map<number, number>();
  let latest = Number.NEGATIVE_INFINITY;
  for (const [index, [asked, value]] of demand.entries()) {
    if (index > 0 && value <= demand[index - 1]![1]) continue;
    const isGrowing = (demand[latest]?.[0] ?? Number.NEGATIVE_INFINITY) >= back(index, GROWING_SYNCS);
    // A mean at the start of the time still tells of the change before it.
    const since = isGrowing ? back(index, GROWING_SYNCS) + (span - 1) / 2 : back(index, LATE_SYNCS);
    const changed = changeOf(rates, since, asked, sign);
    causes.set(index, changed < asked || !isGrowing ? changed : causes.get(latest)!);
    // What was asked for from the beginning grew from nothing.
    if (index > 0) latest = index;
  }
  return causes;
}

export const lengthOf = ({ from, until }: Lag): number => until - from;

interface Rate {
  at: number;
  /** Requests in a second of the run, smoothed. */
  rate: number;
}

/** Requests that are enough for a mean not to be chance. */
const ENOUGH = 60;
/** And the most seconds for one. */
const LONGEST = 31;

/** Seconds that a mean is over: one where there are requests enough, more in compressed time and at low rates. Odd, so that it has a middle. */
function spanOf(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const seconds = Math.min(LONGEST, Math.ceil(ENOUGH / Math.max(mean, 1e-9)));
  return seconds + (1 - (seconds % 2));
}

/** The rate of each interval, as the mean of those around it: a step stays where half of it is over. */
function ratesOver(intervals: readonly Pick<LoadInterval, 'at' | 'scheduled'>[], span: number): Rate[] {
  const half = (span - 1) / 2;
  return intervals.map(({ at }, index) => {
    const around = intervals.slice(Math.max(0, index - half), index + half + 1);
    return { at, rate: around.reduce((sum, { scheduled }) => sum + scheduled, 0) / around.length };
  });
}

/** A change of the rate by less than this share is taken for noise. */
const NOISE = 0.1;

/** When the rate of the load rose (or fell) within a time: where it passed half of its change. */
function changeOf(rates: readonly Rate[], since: number, until: number, sign: 1 | -1): number {
  const within = rates.filter(({ at }) => at >= since && at < until);
  const values = within.map(({ rate }) => sign * rate);
  const low = Math.min(...values);
  const start = values.lastIndexOf(low);
  const high = Math.max(...values.slice(start));
  if (!(high - low > NOISE * Math.max(Math.abs(low), Math.abs(high)))) return until;
  const index = values.findIndex((value, position) => position > start && value >= (low + high) / 2);
  return within[index]!.at;
}

/**
 * When the load last came down, to where it then stayed: after the last second in which it was above a quarter of the way from there up to its peak. A load
 * that never came down ends with its last second; if the run went on after it, to nothing.
 */
export function lastDropOf({ load: { intervals }, seconds }: RunRecord): number {
  const last = intervals.at(-1);
  if (!last) return 0;
  const span = spanOf(intervals.map(({ scheduled }) => scheduled));
  const rest = Math.max(0, Math.min(span + 1, Math.floor(seconds - last.at - 1)));
  const all = [
    ...intervals,
    ...Array.from({ length: rest }, (_, index) => ({ at: last.at + 1 + index, scheduled: 0 })),
  ];
  const tail = intervals.slice(-Math.max(5, span));
  const final = rest > 1 ? 0 : tail.reduce((sum, { scheduled }) => sum + scheduled, 0) / tail.length;
  const rates = ratesOver(all, span);
  const peak = Math.max(...rates.map(({ rate }) => rate));
  const high = rates.findLast(({ rate }) => rate > final + (peak - final) / 4);
  const isFlat = peak - final <= NOISE * peak;
  return isFlat || !high ? last.at + 1 : changeOf(rates, high.at - span, high.at + span + 1, -1);
}

/**
 * Requests a second on the wall, over the seconds in which any were scheduled; NaN where there was none. To right answers counts, too, what they took beyond the last of these
 * seconds (`late`, seconds of the wall): a server that is slower than its load answers at its own rate, and not at the load's.
 */
export function ratesOf({ load: { intervals, total }, compression }: RunRecord): {
  scheduled: number;
  ok: number;
  late: number;
} {
  const busy = intervals.filter(({ scheduled }) => scheduled > 0);
  const wall = busy.length / compression;
  if (wall === 0) return { scheduled: Number.NaN, ok: Number.NaN, late: 0 };
  const late = Math.max(0, (total.answeredSeconds ?? 0) - (busy.at(-1)!.at + 1) / compression);
  return { scheduled: total.scheduled / wall, ok: total.ok / (wall + late), late };
}

/** Replicas times seconds that were asked of the cluster: what a run costs. */
export function replicaSecondsOf(scaling: ScalingRecord, seconds: number): number {
  const steps = desiredOf(scaling);
  return steps.reduce((sum, [at, value], index) => sum + value * ((steps[index + 1]?.[0] ?? seconds) - at), 0);
}
