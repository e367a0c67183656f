import { countReady, groupPods, manyOf, type Pod, type PodMetric } from './pods.ts';
import { type ControllerFlags, isWithin, type Tolerance } from './spec.ts';

/** What one metric asks for. */
export interface Proposal {
  /** Where a metric of pods asks for more than an int32 holds, the controller's conversion is undefined, and ours goes on counting. */
  replicas: number;
  /** In the unit of its target: percent of the request, or thousandths. */
  usage: number;
  /** Thousandths for each pod, or as given where it is one number for all. */
  average: number;
}

/** A metric that cannot be used now; the controller then may scale up on others, and never down. */
export class MetricUnusable extends Error {}

export interface PodsInput {
  /** `spec.replicas` of the scale. */
  currentReplicas: number;
  pods: readonly Pod[];
  /** By name of the pod. */
  metrics: ReadonlyMap<string, PodMetric>;
  tolerance: Tolerance;
  flags: ControllerFlags;
}

/**
 * Replicas by a metric that each pod has (Pods, and Resource or ContainerResource with an average value).
 * @param target thousandths for each pod
 * @throws MetricUnusable where no pod has a sample that counts
 */
export function replicasByPods(input: PodsInput & { target: number; isCpu?: boolean }): Proposal {
  const { target } = input;
  return perPod(input, {
    isCpu: input.isCpu ?? false,
    assumed: () => target,
    measure: (samples) => {
      const average = Math.trunc(used(samples) / countOf(samples));
      return { ratio: average / target, usage: average, average };
    },
  });
}

/**
 * Replicas by a share of what pods request (Resource and ContainerResource with utilization).
 * @param target percent
 * @param requests thousandths by pod: all containers that count, restartable init containers too
 * @throws MetricUnusable where no pod has a sample that counts, or one has no request
 */
export function replicasByUtilization(
  input: PodsInput & { target: number; requests: ReadonlyMap<string, number>; isCpu: boolean },
): Proposal {
  const { target, requests } = input;
  return perPod(input, {
    isCpu: input.isCpu,
    // Absence must not scale down: a missing pod counts as full, at the least.
    assumed: (pod) => Math.trunc((requests.get(pod)! * Math.max(100, target)) / 100),
    measure: (samples) => {
      const lacking = input.pods.find(({ name }) => !requests.has(name));
      if (lacking) throw new MetricUnusable(`pod ${lacking.name} has no request`);
      // Samples of pods that are gone by now have none.
      const both = samples.filter(({ pod }) => requests.has(pod));
      const requested = both.reduce((total, { pod, many }) => total + requests.get(pod)! * many, 0);
      if (requested === 0) throw new MetricUnusable('no pod has both a sample and a request');
      const usage = Math.trunc((used(both) * 100) / requested);
      return { ratio: usage / target, usage, average: Math.trunc(used(both) / countOf(both)) };
    },
  });
}

/** What pods that are alike use, each. */
interface Sample {
  pod: string;
  value: number;
  many: number;
}

interface Measure {
  isCpu: boolean;
  /** What a missing pod is taken for when the others would scale down. */
  assumed: (pod: string) => number;
  measure: (samples: readonly Sample[]) => { ratio: number; usage: number; average: number };
}

function perPod(
  { currentReplicas, pods, metrics, tolerance, flags }: PodsInput,
  { isCpu, assumed, measure }: Measure,
): Proposal {
  if (metrics.size === 0) throw new MetricUnusable('no pod has a sample');
  if (pods.length === 0) throw new MetricUnusable('no pod is selected');
  const { readyCount, unready, missing, ignored } = groupPods(pods, metrics, { isCpu, flags });
  const many = new Map(pods.map((pod) => [pod.name, manyOf(pod)]));
  const sampleOf = (pod: string, value: number): Sample => ({ pod, value, many: many.get(pod) ?? 1 });
  const counted = [...metrics].filter(([pod]) => !unready.has(pod) && !ignored.has(pod));
  if (counted.length === 0) throw new MetricUnusable('no sample is of a pod that counts');
  const samples = counted.map(([pod, { value }]) => sampleOf(pod, value));
  const { ratio, ...measured } = measure(samples);
  const unreadyToo = unready.size > 0 && ratio > 1;
  if (!unreadyToo && missing.size === 0) {
    const replicas = isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * readyCount);
    return { replicas, ...measured };
  }
  // The pods that said nothing are taken to speak against the change, whichever way it goes.
  const supposed = [...samples];
  if (ratio < 1) for (const pod of missing) supposed.push(sampleOf(pod, assumed(pod)));
  if (ratio > 1) for (const pod of missing) supposed.push(sampleOf(pod, 0));
  if (unreadyToo) for (const pod of unready) supposed.push(sampleOf(pod, 0));
  const { ratio: all } = measure(supposed);
  const turned = (ratio < 1 && all > 1) || (ratio > 1 && all < 1);
  if (isWithin(all, tolerance) || turned) return { replicas: currentReplicas, ...measured };
  const replicas = Math.ceil(all * countOf(supposed));
  const backwards = (all < 1 && replicas > currentReplicas) || (all > 1 && replicas < currentReplicas);
  return { replicas: backwards ? currentReplicas : replicas, ...measured };
}

function used(samples: readonly Sample[]): number {
  return samples.reduce((total, { value, many }) => total + value * many, 0);
}

function countOf(samples: readonly Sample[]): number {
  return samples.reduce((total, { many }) => total + many, 0);
}

/**
 * Replicas by one number for all pods, held against a target as it is (Object and External with a value).
 * @param usage thousandths, for External the sum of its series
 * @throws MetricUnusable where there should be pods, and none is selected
 */
export function replicasByValue(input: {
  currentReplicas: number;
  pods: readonly Pod[];
  usage: number;
  target: number;
  tolerance: Tolerance;
}): Proposal {
  const { currentReplicas, pods, usage, target, tolerance } = input;
  const ratio = usage / target;
  if (currentReplicas === 0) return { replicas: Math.ceil(ratio), usage, average: usage };
  if (isWithin(ratio, tolerance)) return { replicas: currentReplicas, usage, average: usage };
  if (pods.length === 0) throw new MetricUnusable('no pod is selected');
  return { replicas: Math.min(MAX_INT32, Math.ceil(ratio * countReady(pods))), usage, average: usage };
}

/**
 * Replicas by one number for all pods, held against a target for each (Object and External with an average value).
 * @param usage thousandths, for External the sum of its series
 * @param statusReplicas `status.replicas` of the scale
 */
export function replicasByAverage(input: {
  statusReplicas: number;
  usage: number;
  target: number;
  tolerance: Tolerance;
}): Proposal {
  const { statusReplicas, usage, target, tolerance } = input;
  const ratio = usage / (target * statusReplicas);
  const replicas = isWithin(ratio, tolerance) ? statusReplicas : Math.ceil(usage / target);
  const average = Math.ceil(usage / statusReplicas);
  return { replicas, usage: average, average };
}

export const MAX_INT32 = 2 ** 31 - 1;
