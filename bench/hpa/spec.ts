/**
 * What a HorizontalPodAutoscaler of autoscaling/v2 says, and the defaults of the API server and of the flags of kube-controller-manager 1.37.
 * Quantities are counted in thousandths (milli), as the controller counts them, so that divisions truncate where it does.
 */
export interface HpaSpec {
  /** Default 1; 0 needs an Object or External metric. */
  minReplicas: number;
  maxReplicas: number;
  /** Undefined takes the older path without policies, which differs from one with all defaults. */
  behavior: Behavior | undefined;
}

export interface Behavior {
  scaleUp: ScalingRules;
  scaleDown: ScalingRules;
}

export interface ScalingRules {
  stabilizationWindowSeconds: number;
  selectPolicy: 'Max' | 'Min' | 'Disabled';
  policies: readonly ScalingPolicy[];
}

interface ScalingPolicy {
  type: 'Pods' | 'Percent';
  value: number;
  periodSeconds: number;
}

/** How far from its target a metric may be without scaling, as fractions. */
export interface Tolerance {
  up: number;
  down: number;
}

/** Flags of kube-controller-manager that the arithmetic depends on, in seconds. */
export interface ControllerFlags {
  /** --horizontal-pod-autoscaler-sync-period */
  syncPeriodSeconds: number;
  /** --horizontal-pod-autoscaler-downscale-stabilization */
  downscaleStabilizationSeconds: number;
  /** --horizontal-pod-autoscaler-tolerance */
  tolerance: number;
  /** --horizontal-pod-autoscaler-cpu-initialization-period */
  cpuInitializationPeriodSeconds: number;
  /** --horizontal-pod-autoscaler-initial-readiness-delay */
  initialReadinessDelaySeconds: number;
}

export const DEFAULT_FLAGS: ControllerFlags = {
  syncPeriodSeconds: 15,
  downscaleStabilizationSeconds: 300,
  tolerance: 0.1,
  cpuInitializationPeriodSeconds: 300,
  initialReadinessDelaySeconds: 30,
};

/** A part of `spec.behavior` as it is written: what is left out has a default. */
interface WrittenRules {
  stabilizationWindowSeconds?: number | null;
  selectPolicy?: ScalingRules['selectPolicy'] | null;
  policies?: readonly ScalingPolicy[] | null;
  tolerance?: number | null;
}

export interface WrittenBehavior {
  scaleUp?: WrittenRules | null;
  scaleDown?: WrittenRules | null;
}

const UP_POLICIES: readonly ScalingPolicy[] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const DOWN_POLICIES: readonly ScalingPolicy[] = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

/** The defaults that the API server fills in, only where `behavior` is written at all (pkg/apis/autoscaling/v2/defaults.go). */
export function behaviorOf(
  written: WrittenBehavior | null | undefined,
  { downscaleStabilizationSeconds }: Pick<ControllerFlags, 'downscaleStabilizationSeconds'>,
): Behavior | undefined {
  if (!written) return undefined;
  return {
    scaleUp: rulesOf(written.scaleUp, UP_POLICIES, 0),
    scaleDown: rulesOf(written.scaleDown, DOWN_POLICIES, downscaleStabilizationSeconds),
  };
}

function rulesOf(
  written: WrittenRules | null | undefined,
  policies: readonly ScalingPolicy[],
  windowSeconds: number,
): ScalingRules {
  return {
    stabilizationWindowSeconds: written?.stabilizationWindowSeconds ?? windowSeconds,
    selectPolicy: written?.selectPolicy ?? 'Max',
    policies: written?.policies ?? policies,
  };
}

/** The tolerance of each direction: the one written in `behavior` (since 1.33), else that of the cluster. */
export function toleranceOf(
  written: WrittenBehavior | null | undefined,
  { tolerance }: Pick<ControllerFlags, 'tolerance'>,
): Tolerance {
  return { up: written?.scaleUp?.tolerance ?? tolerance, down: written?.scaleDown?.tolerance ?? tolerance };
}

/** Whether a ratio of usage to target asks for no change. The bounds belong to it (since 1.33). */
export function isWithin(ratio: number, { up, down }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}
