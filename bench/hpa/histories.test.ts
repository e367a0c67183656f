import { describe, expect, it } from 'vitest';
import { Random } from '../../platform/random.ts';
import type { Pod, PodMetric } from './pods.ts';
import { type Decision, type HpaState, NEW_HPA, reconcile } from './reconcile.ts';
import { MetricUnusable, type PodsInput, replicasByPods, replicasByUtilization } from './replicas.ts';
import { type Behavior, DEFAULT_FLAGS, type HpaSpec } from './spec.ts';

const SEEDS = Array.from({ length: 120 }, (_, seed) => seed);

/** Any behavior that the API server would take. */
function anyBehavior(random: Random): Behavior | undefined {
  if (random.chance(0.3)) return undefined;
  const rules = () => ({
    stabilizationWindowSeconds: random.chance(0.5) ? 0 : random.below(120),
    selectPolicy: random.pick(['Max', 'Max', 'Min', 'Min', 'Disabled'] as const),
    policies: Array.from({ length: 1 + random.below(2) }, () => ({
      type: random.pick(['Pods', 'Percent'] as const),
      value: 1 + random.below(random.pick([10, 150])),
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
function isBetween(desired: number, current: number, metric: number, { minReplicas, maxReplicas }: HpaSpec): boolean {
  const wanted = Math.min(Math.max(metric, minReplicas), maxReplicas);
  return desired >= Math.min(current, wanted) && desired <= Math.max(current, wanted);
}

/** The rates by their definition: what stood at the start of a period, and what a policy lets become of it. */
function isWithinRates(
  { scaleUp, scaleDown }: Behavior,
  made: readonly Change[],
  { at: now, from, to }: Change,
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

interface Step {
  spec: HpaSpec;
  metric: number;
  change: Change;
  /** Changes made before, to judge rates without the state's own book. */
  made: readonly Change[];
  decision: Decision;
  /** What would have been decided had the metric asked for so much more. */
  more: Decision;
}

/** A history of an HPA whose metric leaps about. */
function* history(seed: number): Generator<Step> {
  const random = new Random(seed);
  const minReplicas = 1 + random.below(5);
  const spec: HpaSpec = { minReplicas, maxReplicas: minReplicas + random.below(60), behavior: anyBehavior(random) };
  let state: HpaState = NEW_HPA;
  let current = minReplicas;
  const made: Change[] = [];
  for (let now = 0; now < 1_500; now += 1 + random.below(20)) {
    const metric = random.below(80);
    const at = (replicas: number) => {
      const asks = { kind: 'Pods' as const, propose: () => ({ replicas, usage: 0, average: 0 }) };
      return reconcile(state, { spec, current, metrics: [asks], downscaleStabilizationSeconds: 60, now });
    };
    const decision = at(metric);
    const change = { at: now, from: current, to: decision.desired };
    yield { spec, metric, change, made: [...made], decision, more: at(metric + 1 + random.below(20)) };
    if (change.from !== change.to) made.push(change);
    state = decision.state;
    current = decision.desired;
  }
}

describe('whatever came before (random histories)', () => {
  it.each(SEEDS)('seed %i: in bounds, monotone in the metric, within rates', (seed) => {
    for (const { spec, metric, change, made, decision, more } of history(seed)) {
      const { from, to } = change;
      expect(to).toBeGreaterThanOrEqual(spec.minReplicas);
      expect(to).toBeLessThanOrEqual(spec.maxReplicas);
      expect(more.desired).toBeGreaterThanOrEqual(decision.desired);
      if (!spec.behavior) expect(to).toBeLessThanOrEqual(Math.max(4, 2 * from));
      if (spec.behavior) expect(isBetween(to, from, metric, spec)).toBe(true);
      if (spec.behavior && from !== to) expect(isWithinRates(spec.behavior, made, change)).toBe(true);
    }
  });

  it('these histories meet every limit, in both directions', () => {
    const reasons = new Set<unknown>();
    for (const seed of SEEDS) {
      for (const { spec, change, decision } of history(seed)) {
        const direction = change.to > change.from ? 'up' : change.to < change.from ? 'down' : 'none';
        reasons.add(`${spec.behavior ? 'behavior' : 'plain'} ${direction} ${decision.scalingLimited}`);
      }
    }
    for (const reason of [
      'plain up ScaleUpLimit',
      'plain up TooManyReplicas',
      'plain down DesiredWithinRange',
      'behavior up ScaleUpLimit',
      'behavior up TooManyReplicas',
      'behavior down ScaleDownLimit',
      'behavior down TooFewReplicas',
      'behavior none ScaleUpLimit',
      'behavior none ScaleDownLimit',
    ]) {
      expect(reasons).toContain(reason);
    }
  });
});

/** Pods in any state, as many live ones as there should be, with samples around the target. */
function anyPods(random: Random, target: number): PodsInput {
  const pods = Array.from({ length: 1 + random.below(8) }, (_, index): Pod => {
    const phase = random.pick(['Pending', 'Running', 'Running', 'Running'] as const);
    const startAge = random.below(600);
    return {
      name: `p${index}`,
      phase,
      ready: phase === 'Running' && random.chance(0.8),
      deleting: false,
      startAge,
      lastTransitionAge: random.below(startAge + 1),
    };
  });
  const currentReplicas = pods.length;
  if (random.chance(0.3)) pods.push({ ...pods[0]!, name: 'ending', deleting: true });
  const sampled = pods.filter(({ phase }) => phase === 'Running' && random.chance(0.8));
  const metrics = new Map(
    sampled.map(({ name }): [string, PodMetric] => [name, { value: random.below(2 * target), age: 5, window: 30 }]),
  );
  return { currentReplicas, pods, metrics, tolerance: { up: 0.1, down: 0.1 }, flags: DEFAULT_FLAGS };
}

describe('one pod that uses more', () => {
  it.each(SEEDS)('seed %i: never asks for fewer replicas, whoever is missing, starting or not ready', (seed) => {
    const random = new Random(seed);
    const input = anyPods(random, 1_000);
    if (input.metrics.size === 0) return;
    const requests = new Map(input.pods.map(({ name }) => [name, 500 + random.below(1_000)]));
    const isCpu = random.chance(0.5);
    for (const propose of [
      (metrics: PodsInput['metrics']) => replicasByPods({ ...input, metrics, target: 1_000, isCpu }),
      (metrics: PodsInput['metrics']) => replicasByUtilization({ ...input, metrics, target: 70, requests, isCpu }),
    ]) {
      const asked = (metrics: PodsInput['metrics']): number | undefined => {
        try {
          return propose(metrics).replicas;
        } catch (error) {
          if (!(error instanceof MetricUnusable)) throw error;
          return undefined;
        }
      };
      const metrics = new Map(input.metrics);
      let before = asked(metrics);
      for (let step = 0; before !== undefined && step < 30; step++) {
        const [name, sample] = random.pick([...metrics]);
        metrics.set(name, { ...sample, value: sample.value + random.below(400) });
        const after = asked(metrics);
        expect(after).toBeGreaterThanOrEqual(before);
        before = after;
      }
    }
  });
});
