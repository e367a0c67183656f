import { z } from 'zod';
import { countText, momentText, numberText, secondsText } from '../format.ts';
import type { ScalingRecord } from '../record.ts';
import { demandOf, desiredOf, lastDropOf, readyOf, replicaSecondsOf } from '../timeline.ts';
import { amount, type Finding, onScaling, seconds, unmeasured, whole } from './kind.ts';
import { lagKind } from './lag.ts';

const positive = { value: z.int().positive(), form: 'a whole number over 0' };

interface Flap {
  at: number;
  /** `3 to 6 to 2 to 5`. */
  way: string;
}

/** Changes of the count that reversed the one before, twice within the window: up, down and up again, or the other way round. */
function flapsOf({ ticks }: ScalingRecord, windowSeconds: number): Flap[] {
  const turns: { at: number; from: number; to: number }[] = [];
  for (const [index, { at, current, desired }] of ticks.entries()) {
    // A cluster is only looked at: a decision is seen several times, or when it was carried out.
    const before = ticks[index - 1]?.desired ?? current;
    if (desired === before) continue;
    const last = turns.at(-1);
    // Steps in one direction are one move, which is as young as its last step.
    if (last && Math.sign(last.to - last.from) === Math.sign(desired - before))
      Object.assign(last, { at, to: desired });
    else turns.push({ at, from: before, to: desired });
  }
  return turns.flatMap(({ at, to }, index) => {
    const [first, second] = [turns[index - 2], turns[index - 1]];
    if (!first || !second || at - first.at > windowSeconds) return [];
    return [{ at, way: [first.from, first.to, second.to, to].join(' to ') }];
  });
}

const DEFAULT_WINDOW = 300;
const flapping = z.union([
  z.literal(true).transform(() => ({ window_s: DEFAULT_WINDOW, allowed: 0 })),
  z.strictObject({ window_s: seconds.value.default(DEFAULT_WINDOW), allowed: whole.value.default(0) }),
]);

const no_flapping = onScaling({
  about: `replicas do not go up, down and up again (or the other way round) within a window, ${DEFAULT_WINDOW} s if not said`,
  value: flapping,
  form: 'true, or { window_s: seconds, allowed: times }',
  judge(scaling, { window_s, allowed }): Finding {
    const flaps = flapsOf(scaling, window_s);
    const where = flaps.slice(0, 3).map(({ at, way }) => `${way} by ${momentText(at)}`);
    return {
      holds: flaps.length <= allowed,
      measured: flaps.length === 0 ? 'never' : `${countText(flaps.length, 'time')}: ${where.join('; ')}`,
      advice: () =>
        'Lengthen behavior.scaleDown.stabilizationWindowSeconds, or let scaleDown policies take fewer at once. If the metric itself swings, average it over a longer window, or raise the tolerance.',
    };
  },
});

const returns_to_min_within_s = onScaling<number>({
  about: 'from when the load last came down until replicas are at the minimum, and stay there',
  ...seconds,
  judge(scaling, limit, record) {
    const { minReplicas } = scaling.policy;
    const drop = lastDropOf(record);
    const above = (steps: ReturnType<typeof readyOf>): number | undefined => {
      const index = steps.findLastIndex(([, value]) => value > minReplicas);
      return index === -1 ? 0 : steps[index + 1]?.[0];
    };
    const ends = [above(desiredOf(scaling)), above(readyOf(scaling))];
    const advice = (): string =>
      minReplicas === 0
        ? "Shorten KEDA's cooldownPeriod (300 s if not said). If the load never quite ends, see which trigger stays active."
        : 'Shorten behavior.scaleDown.stabilizationWindowSeconds (300 s if not said), or let scaleDown policies take more at once. If the load never quite ends, see which metric keeps replicas (replicas wanted).';
    if (ends.includes(undefined)) {
      const left = Math.max(desiredOf(scaling).at(-1)![1], readyOf(scaling).at(-1)![1]);
      return {
        holds: false,
        measured: `still at ${numberText(left)} at the end, ${secondsText(record.seconds - drop)} after the load came down`,
        advice: () =>
          record.seconds - drop < limit
            ? 'The run ended before the time was over: let it go on for longer after the load.'
            : advice(),
      };
    }
    const took = Math.max(0, ...ends.map((end) => end! - drop));
    return { holds: took <= limit, measured: `${secondsText(took)}, from ${momentText(drop)} on`, advice };
  },
});

const never_above = onScaling<number>({
  about: 'at no time more replicas, desired or ready',
  ...positive,
  judge(scaling, limit) {
    const [at, most] = [...desiredOf(scaling), ...readyOf(scaling)].reduce((max, one) => (one[1] > max[1] ? one : max));
    return {
      holds: most <= limit,
      measured: `at most ${numberText(most)}, at ${momentText(at)}`,
      advice: () => 'Lower maxReplicas, or slow down behavior.scaleUp. While versions change, maxSurge adds pods.',
    };
  },
});

const never_below = onScaling<number>({
  about: 'at no time fewer replicas, desired or ready, once as many were ready',
  ...positive,
  judge(scaling, limit) {
    const ready = readyOf(scaling);
    const start = ready.find(([, value]) => value >= limit)?.[0];
    if (start === undefined) {
      return unmeasured(`${numberText(limit)} were never ready`, 'Raise minReplicas, or lower the bound.');
    }
    const [at, least] = [...desiredOf(scaling), ...ready]
      .filter((step) => step[0] >= start)
      .reduce((min, one) => (one[1] < min[1] ? one : min));
    return {
      holds: least >= limit,
      measured: `at least ${numberText(least)}, at ${momentText(at)}`,
      advice: () =>
        'Raise minReplicas. If ready pods became fewer than desired, see in the life of the pods why they did.',
    };
  },
});

const reaches = onScaling<number>({
  about: 'at some time at least so many replicas ready',
  ...positive,
  judge(scaling, wanted) {
    const most = Math.max(...readyOf(scaling).map(([, value]) => value));
    const asked = Math.max(...demandOf(scaling).map(([, value]) => value));
    return {
      holds: most >= wanted,
      measured: `at most ${numberText(most)} ready`,
      advice: () =>
        asked < wanted
          ? `The metrics asked for ${numberText(asked)} at most: raise the load, or lower the target.`
          : 'They were asked for and did not become ready in time: see the life of the pods, or let the load last longer.',
    };
  },
});

const max_replica_seconds = onScaling<number>({
  about: 'what the run costs: replicas times seconds',
  ...amount,
  judge(scaling, limit, record) {
    const used = replicaSecondsOf(scaling, record.seconds);
    return {
      holds: used <= limit,
      measured: `${numberText(used)}, ${numberText(used / record.seconds)} replicas on average`,
      advice: () => 'Raise the target, lower minReplicas, or scale down sooner (behavior.scaleDown).',
    };
  },
});

const max_syncs_without_metrics = onScaling<number>({
  about: 'at most so many syncs in which a metric had no value',
  ...whole,
  judge({ ticks }, limit) {
    const blind = ticks.filter(
      ({ metrics, scalingActive }) =>
        scalingActive?.startsWith('Failed') || metrics.some(({ value }) => value === undefined),
    );
    const first = blind[0];
    return {
      holds: blind.length <= limit,
      measured: first
        ? `${numberText(blind.length)} of ${countText(ticks.length, 'sync')}, first at ${momentText(first.at)}${first.scalingActive?.startsWith('Failed') ? ` (${first.scalingActive})` : ''}`
        : 'none',
      advice: () =>
        'While a metric is missing, the controller scales up by the others at most. See that the adapter scrapes each pod, and that its window is longer than two scrapes.',
    };
  },
});

const max_in_flight_per_pod = onScaling<number>({
  about: 'at most so many requests in flight in a ready pod, averaged between two looks',
  ...amount,
  judge({ pods }, limit) {
    const looks = pods.flatMap(({ name, states, inFlight }) =>
      inFlight
        .filter(([at]) => states.findLast((one) => one.at <= at)?.state === 'ready')
        .map(([at, average]) => ({ name, at, average })),
    );
    if (looks.length === 0)
      return unmeasured(
        'no pod was looked at while it was ready',
        'Leave it out for a run that does not look at pods.',
      );
    const most = looks.reduce((max, one) => (one.average > max.average ? one : max));
    return {
      holds: most.average <= limit,
      measured: `${numberText(most.average)} in ${most.name} at ${momentText(most.at)}`,
      advice: () =>
        'Scale earlier (a lower target) or faster (scaleUp policies); if one pod has more than others, look at how requests are spread.',
    };
  },
});

export const SCALING_KINDS = {
  reaches,
  never_above,
  never_below,
  scale_up_within_s: lagKind('up'),
  scale_down_within_s: lagKind('down'),
  returns_to_min_within_s,
  no_flapping,
  max_in_flight_per_pod,
  max_replica_seconds,
  max_syncs_without_metrics,
};
