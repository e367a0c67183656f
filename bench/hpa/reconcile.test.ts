import { describe, expect, it } from 'vitest';
import { type HpaState, type MetricNow, NEW_HPA, reconcile, type Sync } from './reconcile.ts';
import { MetricUnusable } from './replicas.ts';
import { behaviorOf, DEFAULT_FLAGS, type HpaSpec } from './spec.ts';

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
    const raised = syncOf({ spec: { ...plain, minReplicas: 6 }, current: 0, metrics: [asks(2)] });
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
