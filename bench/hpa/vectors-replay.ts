import type { Pod } from './pods.ts';
import { NEW_HPA, reconcile } from './reconcile.ts';
import { replicasByPods } from './replicas.ts';
import { behaviorOf } from './spec.ts';
import type { HpaVector } from './vectors.ts';
import { flagsOf } from './vectors-input.ts';

/** Seconds between syncs in recorded runs. */
const TRACE_SYNC = 2;

/**
 * A recorded run of a real controller, played again. Its ticks are laid so that one falls on the first recorded step; a later step agrees when it
 * comes within one sync of the recorded one, and then stands in the result as it was recorded.
 */
export function replayed(vector: HpaVector): unknown[] {
  const recorded = vector.expected['steps'] as { atSec: number; from: number; to: number }[];
  if (!Array.isArray(recorded) || recorded.length === 0) throw new Error('expected.steps has no steps');
  const load = vector.totalLoadMilli!;
  const flags = flagsOf(vector);
  const end = recorded.at(-1)!.atSec + 30;
  let current = vector.currentReplicas!;
  let state = NEW_HPA;
  const steps: unknown[] = [];
  for (let now = recorded[0]!.atSec % TRACE_SYNC; now < end; now += TRACE_SYNC) {
    const total = load.findLast(([at]) => at <= now)?.[1] ?? 0;
    const names = Array.from({ length: current }, (_, index) => `pod-${index}`);
    const pods = names.map(
      (name): Pod => ({ name, phase: 'Running', deleting: false, ready: true, startAge: 60, lastTransitionAge: 60 }),
    );
    const metrics = new Map(names.map((name) => [name, { value: total / current, age: 0, window: TRACE_SYNC }]));
    const input = { currentReplicas: current, pods, metrics, tolerance: vector.tolerance!, flags };
    const decision = reconcile(state, {
      spec: {
        minReplicas: vector.minReplicas!,
        maxReplicas: vector.maxReplicas!,
        behavior: behaviorOf(vector.behavior, flags),
      },
      current,
      metrics: [{ kind: 'Pods', propose: () => replicasByPods({ ...input, target: vector.target! }) }],
      downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
      now,
    });
    state = decision.state;
    if (decision.desired !== current) {
      const same = recorded[steps.length];
      const agrees = same?.from === current && same.to === decision.desired && Math.abs(same.atSec - now) <= TRACE_SYNC;
      steps.push(agrees ? same : { atSec: now, from: current, to: decision.desired });
    }
    current = decision.desired;
  }
  return steps;
}
