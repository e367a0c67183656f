import type { Pod, PodMetric } from './pods.ts';
import type { PodsInput } from './replicas.ts';
import { type ControllerFlags, DEFAULT_FLAGS, toleranceOf } from './spec.ts';
import type { Recommendation } from './stabilize.ts';
import type { HpaVector } from './vectors.ts';

export function podsInput(vector: HpaVector): PodsInput {
  const flags = flagsOf(vector);
  const pods = (vector.pods ?? []).map(
    ({ name, phase, ready, deleting, hasReadyCondition, startAgeSec, lastTransitionAgeSec }): Pod => ({
      name,
      phase,
      deleting,
      ready: hasReadyCondition === false ? undefined : ready,
      startAge: startAgeSec ?? undefined,
      lastTransitionAge: lastTransitionAgeSec,
    }),
  );
  const sampled = vector.perPodValuesMilli ?? pods.map(() => 0);
  const metrics = new Map<string, PodMetric>(
    sampled.map((value, index) => {
      const { name, metricAgeSec = 0, metricWindowSec = 60 } = vector.pods?.[index] ?? { name: `no pod ${index}` };
      return [name, { value, age: metricAgeSec, window: metricWindowSec }];
    }),
  );
  const tolerance = vector.tolerance ?? toleranceOf(vector.behavior, flags);
  return { currentReplicas: vector.currentReplicas ?? 0, pods, metrics, tolerance, flags };
}

export function flagsOf({ config, downscaleStabilizationSec }: HpaVector): ControllerFlags {
  const flags = { ...DEFAULT_FLAGS };
  if (config) {
    flags.cpuInitializationPeriodSeconds = config.cpuInitializationPeriodSec;
    flags.initialReadinessDelaySeconds = config.initialReadinessDelaySec;
  }
  flags.downscaleStabilizationSeconds = downscaleStabilizationSec ?? flags.downscaleStabilizationSeconds;
  return flags;
}

export function eventsOf({ scaleUpEvents = [], scaleDownEvents = [] }: HpaVector) {
  const aged = (events: readonly { change: number; ageSec: number }[]) =>
    events.map(({ change, ageSec }) => ({ change, age: ageSec }));
  return { up: aged(scaleUpEvents), down: aged(scaleDownEvents) };
}

export function recommendationsOf({ recommendations = [] }: HpaVector): Recommendation[] {
  return recommendations.map(({ rec, ageSec }) => ({ replicas: rec, age: ageSec }));
}
