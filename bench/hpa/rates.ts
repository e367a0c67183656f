import { MAX_INT32 } from './replicas.ts';
import type { Behavior, ScalingRules } from './spec.ts';

/** A change of replicas that was made, as a positive number. */
interface ScaleEvent {
  change: number;
  /** Seconds. */
  age: number;
}

/** What was scaled lately; only filled where `behavior` is set. */
export interface ScaleEvents {
  up: readonly ScaleEvent[];
  down: readonly ScaleEvent[];
}

/** Reasons of the condition ScalingLimited. */
export type LimitReason =
  | 'DesiredWithinRange'
  | 'TooFewReplicas'
  | 'TooManyReplicas'
  | 'ScaleUpLimit'
  | 'ScaleDownLimit';

export interface Limited {
  replicas: number;
  reason: LimitReason;
}

/** The bounds of an HPA without `behavior`: at most double, or four (convertDesiredReplicasWithRules). */
export function limitWithoutBehavior(desired: number, current: number, min: number, max: number): Limited {
  const limit = Math.max(2 * current, 4);
  if (desired < min) return { replicas: min, reason: 'TooFewReplicas' };
  if (desired <= Math.min(limit, max)) return { replicas: desired, reason: 'DesiredWithinRange' };
  return max > limit ? { replicas: limit, reason: 'ScaleUpLimit' } : { replicas: max, reason: 'TooManyReplicas' };
}

/** The bounds and rates of an HPA with `behavior` (convertDesiredReplicasWithBehaviorRate). */
export function limitByBehavior(
  desired: number,
  current: number,
  { min, max, behavior, events }: { min: number; max: number; behavior: Behavior; events: ScaleEvents },
): Limited {
  if (desired > current) {
    const limit = Math.max(scaleUpLimit(current, behavior.scaleUp, events), current);
    const most = Math.min(limit, max);
    if (desired > most) return { replicas: most, reason: max > limit ? 'ScaleUpLimit' : 'TooManyReplicas' };
  }
  if (desired < current) {
    const limit = Math.min(scaleDownLimit(current, behavior.scaleDown, events), current);
    const least = Math.max(limit, min);
    if (desired < least) return { replicas: least, reason: min < limit ? 'ScaleDownLimit' : 'TooFewReplicas' };
  }
  return { replicas: desired, reason: 'DesiredWithinRange' };
}

/** The most replicas that the policies allow now. */
export function scaleUpLimit(current: number, rules: ScalingRules, events: ScaleEvents): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const start = replicasAtStart(current, events, periodSeconds);
    // Rounded up, or a small share of few replicas would never scale.
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(MAX_INT32, ...proposals) : Math.max(-MAX_INT32 - 1, ...proposals);
}

/** The fewest replicas that the policies allow now. */
function scaleDownLimit(current: number, rules: ScalingRules, events: ScaleEvents): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const start = replicasAtStart(current, events, periodSeconds);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  // `Min` is the smallest change, so the highest number that is left.
  return rules.selectPolicy === 'Min' ? Math.max(-MAX_INT32 - 1, ...proposals) : Math.min(MAX_INT32, ...proposals);
}

function replicasAtStart(current: number, { up, down }: ScaleEvents, periodSeconds: number): number {
  return current - changed(up, periodSeconds) + changed(down, periodSeconds);
}

function changed(events: readonly ScaleEvent[], periodSeconds: number): number {
  return events.reduce((total, { change, age }) => (age < periodSeconds ? total + change : total), 0);
}
