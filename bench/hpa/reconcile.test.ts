import { describe, expect, it } from 'vitest';
import { Random } from '../../server/testing/random.ts';
import { type HpaState, type MetricNow, NEW_HPA, reconcile, type Sync } from './reconcile.ts';
import { MetricUnusable } from './replicas.ts';
import { type Behavior, behaviorOf, DEFAULT_FLAGS, type HpaSpec } from './spec.ts';

const plain: HpaSpec = { minReplicas: 1, maxReplicas: 20, behavior: undefined };

function asks(replicas: number): MetricNow {
  return { kind: 'Pods', propose: () => ({ replicas, usage: 0, average: 0 }) };
}

const fails: MetricNow = {
  kind: 'External',
  propose: () => {
    throw new MetricUnusable('gone');
  },
};

function syncOf(over: Partial<Sync>): Sync {
  return { spec: plain, current: 3, metrics: [asks(3)], downscaleStabilizationSeconds: 300, now: 0, ...over };
}

/** Seen nothing, but not new. */
const SEEN: HpaState = { ...NEW_HPA, recommendations: [] };

describe('one sync', () => {
  it('without behavior at most doubles, or goes to four', () => {
    expect(reconcile(SEEN, syncOf({ metrics: [asks(20)] }))).toMatchObject({
      desired: 6,
      scalingLimited: 'ScaleUpLimit',
    });
    expect(reconcile(SEEN, syncOf({ current: 1, metrics: [asks(20)] })).desired).toBe(4);
  });

  it('takes the largest of several metrics', () => {
    expect(reconcile(SEEN, syncOf({ metrics: [asks(4), asks(6), asks(1)] })).desired).toBe(6);
  });

  it('with a metric that fails goes up, and never down', () => {
    expect(reconcile(SEEN, syncOf({ metrics: [fails, asks(5)] })).desired).toBe(5);
    const held = reconcile(SEEN, syncOf({ metrics: [fails, asks(1)] }));
    expect(held).toMatchObject({ desired: 3, wanted: undefined, scalingActive: 'FailedGetExternalMetric' });
  });

  it('lets other errors through', () => {
    const broken: MetricNow = {
      kind: 'Pods',
      propose: () => {
        throw new TypeError('a mistake');
      },
    };
    expect(() => reconcile(SEEN, syncOf({ metrics: [broken] }))).toThrow(TypeError);
  });

  it('leaves zero alone, unless it made it', () => {
    const spec = { ...plain, minReplicas: 0 };
    const external = [{ ...asks(2), kind: 'External' as const }];
    const down = reconcile(SEEN, syncOf({ spec, current: 1, metrics: [{ ...asks(0), kind: 'External' }] }));
    expect(down).toMatchObject({ desired: 0, state: { scaledToZero: true } });
    expect(reconcile(SEEN, syncOf({ spec, current: 0, metrics: external })).scalingActive).toBe('ScalingDisabled');
    const up = reconcile(down.state, syncOf({ spec, current: 0, metrics: external }));
    expect(up).toMatchObject({ desired: 2, state: { scaledToZero: false } });
    const raised = syncOf({ spec: { ...plain, minReplicas: 6 }, current: 0, metrics: external });
    expect(reconcile(down.state, raised).desired).toBe(6);
  });

  it('goes into its bounds without asking', () => {
    expect(reconcile(SEEN, syncOf({ current: 30, metrics: [fails] })).desired).toBe(20);
    expect(reconcile(SEEN, syncOf({ spec: { ...plain, minReplicas: 5 }, metrics: [fails] })).desired).toBe(5);
  });
});

describe('over time', () => {
  it('a new controller does not scale down before its window has passed', () => {
    const first = reconcile(NEW_HPA, syncOf({ current: 8, metrics: [asks(2)], now: 1_000 }));
    expect(first).toMatchObject({ desired: 8, ableToScale: 'ScaleDownStabilized' });
    const still = reconcile(first.state, syncOf({ current: 8, metrics: [asks(2)], now: 1_300 }));
    expect(still.desired).toBe(8);
    expect(reconcile(still.state, syncOf({ current: 8, metrics: [asks(2)], now: 1_301 })).desired).toBe(2);
  });

  it('policies hold for their period', () => {
    const spec = { ...plain, behavior: behaviorOf({}, DEFAULT_FLAGS) };
    const first = reconcile(SEEN, syncOf({ spec, current: 1, metrics: [asks(20)], now: 0 }));
    expect(first.desired).toBe(5);
    const second = reconcile(first.state, syncOf({ spec, current: 5, metrics: [asks(20)], now: 14 }));
    expect(second).toMatchObject({ desired: 5, scalingLimited: 'ScaleUpLimit' });
    expect(reconcile(second.state, syncOf({ spec, current: 5, metrics: [asks(20)], now: 15 })).desired).toBe(10);
  });
});

/** Any behavior that the API server would take. */
function anyBehavior(random: Random): Behavior | undefined {
  if (random.chance(0.3)) return undefined;
  const rules = () => ({
    stabilizationWindowSeconds: random.below(120),
    selectPolicy: random.pick(['Max', 'Max', 'Min', 'Min', 'Disabled'] as const),
    policies: Array.from({ length: 1 + random.below(2) }, () => ({
      type: random.pick(['Pods', 'Percent'] as const),
      value: 1 + random.below(150),
      periodSeconds: 1 + random.below(90),
    })),
  });
  return { scaleUp: rules(), scaleDown: rules() };
}

interface Change {
  at: number;
  from: number;
  to: number;
}

/** Whether the number moved towards what the metric asks for, and not past it. */
function between(desired: number, current: number, metric: number, { minReplicas, maxReplicas }: HpaSpec): boolean {
  const wanted = Math.min(Math.max(metric, minReplicas), maxReplicas);
  return desired >= Math.min(current, wanted) && desired <= Math.max(current, wanted);
}

function bounded(current: number, { minReplicas, maxReplicas }: HpaSpec): boolean {
  return current < minReplicas || current > maxReplicas;
}

/** The rates by their definition: what stood at the start of a period, and what a policy lets become of it. */
function isWithinRates(
  { scaleUp, scaleDown }: Behavior,
  made: readonly Change[],
  { now, from, to }: { now: number; from: number; to: number },
): boolean {
  const { policies, selectPolicy } = to > from ? scaleUp : scaleDown;
  if (selectPolicy === 'Disabled') return false;
  const allows = policies.map(({ type, value, periodSeconds }) => {
    const start = made.find(({ at }) => now - at < periodSeconds)?.from ?? from;
    const share = to > from ? Math.ceil(start * (1 + value / 100)) : Math.trunc(start * (1 - value / 100));
    if (to > from) return to <= (type === 'Pods' ? start + value : share);
    return to >= (type === 'Pods' ? start - value : share);
  });
  return selectPolicy === 'Min' ? allows.every(Boolean) : allows.some(Boolean);
}

describe('whatever came before (random histories)', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))(
    'seed %i: in bounds, monotone in the metric, within rates',
    (seed) => {
      const random = new Random(seed);
      const minReplicas = 1 + random.below(5);
      const spec: HpaSpec = {
        minReplicas,
        maxReplicas: minReplicas + random.below(60),
        behavior: anyBehavior(random),
      };
      let state: HpaState = NEW_HPA;
      let current = minReplicas;
      /** Changes made, to judge rates without the state's own book. */
      const made: Change[] = [];
      for (let now = 0; now < 1_500; now += 1 + random.below(20)) {
        const metric = random.below(80);
        const at = (replicas: number) =>
          reconcile(state, { spec, current, metrics: [asks(replicas)], downscaleStabilizationSeconds: 60, now });
        const decision = at(metric);
        const { desired } = decision;
        expect(desired).toBeGreaterThanOrEqual(minReplicas);
        expect(desired).toBeLessThanOrEqual(spec.maxReplicas);
        expect(at(metric + 1).desired).toBeGreaterThanOrEqual(desired);
        if (spec.behavior) expect(between(desired, current, metric, spec)).toBe(true);
        if (spec.behavior && desired !== current && !bounded(current, spec)) {
          expect(isWithinRates(spec.behavior, made, { now, from: current, to: desired })).toBe(true);
        }
        if (desired !== current) made.push({ at: now, from: current, to: desired });
        state = decision.state;
        current = desired;
      }
    },
  );
});
