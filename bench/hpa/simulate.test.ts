import { describe, expect, it } from 'vitest';
import type { PolicyMetric } from './observe.ts';
import { type SimulatedTick, type SimulateOptions, simulate } from './simulate.ts';
import { behaviorOf, DEFAULT_FLAGS, type WrittenBehavior } from './spec.ts';

const IN_FLIGHT: PolicyMetric = {
  kind: 'Pods',
  name: 'inflight_requests',
  target: { type: 'AverageValue', milli: 4000 },
};
const QUEUE: PolicyMetric = { kind: 'External', name: 'queue', target: { type: 'AverageValue', milli: 10_000 } };

const BEHAVIOR: WrittenBehavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 15 },
      { type: 'Pods', value: 4, periodSeconds: 15 },
    ],
  },
  scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }] },
};

/** Load by steps: from each second on, so much. */
function steps(...rows: readonly (readonly [from: number, load: number])[]): (second: number) => number {
  return (second) => rows.findLast(([from]) => from <= second)?.[1] ?? 0;
}

/** When the number of replicas changed, and to what. */
function changes(ticks: Iterable<SimulatedTick>): [at: number, replicas: number][] {
  return [...ticks].filter(({ current, desired }) => current !== desired).map(({ at, desired }) => [at, desired]);
}

interface Row extends Pick<SimulateOptions, 'load' | 'signal' | 'replicas'> {
  title: string;
  min: number;
  max: number;
  behavior?: WrittenBehavior;
  metric?: PolicyMetric;
  wanted: [at: number, replicas: number][];
}

const outage: Pick<Row, 'load' | 'signal' | 'replicas'> = {
  replicas: 5,
  load: steps([0, 20], [700, 2]),
  signal: (_, { at, load }) => (at >= 100 && at < 700 ? undefined : load * 1000),
};

/** The runs that a real controller of Kubernetes 1.37.2 made in virtual time. */
const ROWS: Row[] = [
  {
    title: 'up and down without behavior',
    min: 1,
    max: 10,
    load: steps([0, 3], [60, 40], [300, 9]),
    wanted: [
      [60, 4],
      [75, 8],
      [90, 10],
      [600, 3],
    ],
  },
  {
    title: 'up and down with behavior',
    min: 2,
    max: 20,
    behavior: BEHAVIOR,
    load: steps([0, 3], [60, 70], [300, 9]),
    wanted: [
      [60, 6],
      [75, 12],
      [90, 18],
      [585, 9],
      [645, 4],
      [705, 3],
    ],
  },
  { title: 'metrics away for longer than the window', min: 1, max: 10, ...outage, wanted: [[705, 1]] },
  {
    title: 'metrics away for longer than the window, with behavior',
    min: 1,
    max: 20,
    behavior: BEHAVIOR,
    ...outage,
    wanted: [
      [705, 2],
      [765, 1],
    ],
  },
  {
    title: 'to zero and back',
    min: 0,
    max: 6,
    metric: QUEUE,
    load: steps([0, 0], [400, 35], [500, 0]),
    wanted: [
      [315, 0],
      [405, 4],
      [810, 0],
    ],
  },
];

function optionsOf({ min, max, behavior, metric, ...rest }: Row): SimulateOptions {
  const spec = { minReplicas: min, maxReplicas: max, behavior: behaviorOf(behavior, DEFAULT_FLAGS) };
  return { spec, behavior, metrics: [metric ?? IN_FLIGHT], seconds: 900, ...rest };
}

describe('an HPA and the pods that it scales', () => {
  it.each(ROWS)('$title: as the controller scales', (row) => {
    expect(changes(simulate(optionsOf(row)))).toEqual(row.wanted);
  });

  it('says why nothing is decided while metrics are away', () => {
    const ticks = [...simulate(optionsOf(ROWS[2]!))];
    const away = ticks.filter(({ decision }) => decision?.scalingActive === 'FailedGetPodsMetric').map(({ at }) => at);
    expect([away[0], away.at(-1)]).toEqual([105, 690]);
  });

  it('shows the moments between syncs, without deciding there', () => {
    const coarse = [...simulate(optionsOf(ROWS[1]!))];
    const fine = [...simulate({ ...optionsOf(ROWS[1]!), stepSeconds: 1 })];
    expect(fine).toHaveLength(901);
    expect(fine.filter(({ decision }) => decision)).toEqual(coarse);
    // Two pods bear 70 until those created at 60 are ready, 4 s later.
    const at = (second: number) => fine[second]!;
    expect(at(63)).toMatchObject({ ready: 2, starting: 4, inFlightPerPod: 35, decision: undefined });
    expect(at(64)).toMatchObject({ ready: 6, starting: 0 });
    expect([at(589).draining, at(590).draining]).toEqual([9, 0]);
  });

  it('has thousands of pods', () => {
    const spec = { minReplicas: 10, maxReplicas: 20_000, behavior: undefined };
    const load = steps([0, 40], [60, 30_000], [600, 300]);
    const ticks = [...simulate({ spec, metrics: [IN_FLIGHT], load, seconds: 1_200 })];
    expect(Math.max(...ticks.map(({ ready }) => ready))).toBe(7_500);
    expect(ticks.at(-1)!.desired).toBe(75);
  });

  it('wants to be told what a request costs of what pods request', () => {
    const cpu: PolicyMetric = { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 70 } };
    const options = { ...optionsOf(ROWS[0]!), metrics: [cpu] };
    expect(() => [...simulate(options)]).toThrow('what does a request under way cost of cpu');
    const costly = { ...options, signal: (_: PolicyMetric, { load }: { load: number }) => load * 175 };
    // 40 requests take 7 of what a pod requests, and 70 % is the target.
    expect(Math.max(...[...simulate(costly)].map(({ desired }) => desired))).toBe(10);
  });
});
