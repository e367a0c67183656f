import type { Activation } from './keda.ts';
import type { MetricTarget } from './observe.ts';

/** One poll of KEDA. */
export interface Poll {
  activation: Activation;
  /** `spec.replicas` of the target. */
  current: number;
  /** By metric, in thousandths; undefined where its trigger fails. */
  values: ReadonlyMap<string, number | undefined>;
  /** Seconds since the ScaledObject was created. */
  now: number;
  /** When a trigger was last active. */
  lastActiveAt: number | undefined;
}

/** From nothing to something and back, which KEDA does without its HPA (RequestScale of scale_scaledobjects.go, KEDA 2.21). */
export function activate(poll: Poll): { desired: number; lastActiveAt: number | undefined } {
  const { activation, current, values, now, lastActiveAt } = poll;
  const { minReplicas, idleReplicas, active, alwaysActive, fallback } = activation;
  const isFailing = active.some(({ metric }) => values.get(metric) === undefined);
  const isActive = alwaysActive || active.some(({ metric, above }) => (values.get(metric) ?? 0) > above);
  const unchanged = { desired: current, lastActiveAt };
  if (isActive) {
    const isAsleep = current === 0 || (idleReplicas !== undefined && current < minReplicas);
    if (isAsleep) return { desired: Math.max(1, minReplicas), lastActiveAt: now };
    return isFailing ? unchanged : { desired: current, lastActiveAt: now };
  }
  if (isFailing && fallback?.replicas !== 0) return unchanged;
  const least = idleReplicas ?? (minReplicas === 0 ? 0 : undefined);
  if (least !== undefined && current > least) return isCool(poll) ? { desired: least, lastActiveAt } : unchanged;
  return least === undefined && current < minReplicas ? { desired: minReplicas, lastActiveAt } : unchanged;
}

/**
 * What KEDA does between two polls, when a trigger tells by itself that it is active (startPushScalers of scale_handler.go): it wakes what sleeps and
 * notes the activity. That a trigger is not active is left to polls.
 */
export function activatePushed(poll: Poll): { desired: number; lastActiveAt: number | undefined } {
  const { activation, current, values, lastActiveAt } = poll;
  const active = activation.active.filter(({ pushed, metric, above }) => pushed && (values.get(metric) ?? 0) > above);
  return active.length > 0
    ? activate({ ...poll, activation: { ...activation, active } })
    : { desired: current, lastActiveAt };
}

function isCool({ activation, now, lastActiveAt }: Poll): boolean {
  const { cooldownSeconds, initialCooldownSeconds } = activation;
  return lastActiveAt === undefined ? initialCooldownSeconds < now : lastActiveAt + cooldownSeconds < now;
}

/**
 * What KEDA answers the HPA with in place of a trigger that fails (fallback.go).
 * @param failures syncs in a row that the trigger failed at, this one too
 * @returns thousandths; undefined where the failure is passed on
 */
export function fallBack(
  fallback: Activation['fallback'],
  { target, failures, current, ready }: { target: MetricTarget; failures: number; current: number; ready: number },
): number | undefined {
  if (!fallback || failures <= fallback.failureThreshold || target.type === 'Utilization') return undefined;
  const replicas = {
    static: fallback.replicas,
    currentReplicas: current,
    currentReplicasIfHigher: Math.max(current, fallback.replicas),
    currentReplicasIfLower: Math.min(current, fallback.replicas),
  }[fallback.behavior];
  if (target.type === 'AverageValue') return Math.trunc(target.milli * replicas);
  // The HPA multiplies a ratio of values by the pods that are ready.
  return ready === 0 ? undefined : Math.trunc((target.milli * replicas) / ready);
}
