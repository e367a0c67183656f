import type { ControllerFlags } from './spec.ts';

/** What the controller knows of a pod. Ages in seconds; a larger age is further back. */
export interface Pod {
  name: string;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  deleting: boolean;
  /** Status of the condition Ready; undefined where there is no such condition yet. */
  ready: boolean | undefined;
  /** Undefined: not started. */
  startAge: number | undefined;
  /** Since the condition Ready last changed. */
  lastTransitionAge: number;
  /** How many pods there are that are alike in all of this and in their sample; default 1. A simulator of thousands then counts them once. */
  many?: number;
}

/** A sample of one pod. */
export interface PodMetric {
  /** In thousandths. */
  value: number;
  age: number;
  /** Seconds that the sample covers. */
  window: number;
}

/** Which pods count, by name. */
export interface PodGroups {
  readyCount: number;
  unready: ReadonlySet<string>;
  missing: ReadonlySet<string>;
  ignored: ReadonlySet<string>;
}

/**
 * Sorts pods by whether their sample may be trusted (groupPods of replica_calculator.go). Only for CPU are running pods that are not ready set aside:
 * a starting process burns CPU that says nothing of the load.
 */
export function groupPods(
  pods: readonly Pod[],
  metrics: ReadonlyMap<string, PodMetric>,
  { isCpu, flags }: { isCpu: boolean; flags: Flags },
): PodGroups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let readyCount = 0;
  for (const pod of pods) {
    const metric = metrics.get(pod.name);
    if (pod.deleting || pod.phase === 'Failed') ignored.add(pod.name);
    else if (pod.phase === 'Pending') unready.add(pod.name);
    else if (!metric) missing.add(pod.name);
    else if (isCpu && isUnready(pod, metric, flags)) unready.add(pod.name);
    else readyCount += manyOf(pod);
  }
  return { readyCount, unready, missing, ignored };
}

type Flags = Pick<ControllerFlags, 'cpuInitializationPeriodSeconds' | 'initialReadinessDelaySeconds'>;

function isUnready({ ready, startAge, lastTransitionAge }: Pod, metric: PodMetric, flags: Flags): boolean {
  if (ready === undefined || startAge === undefined) return true;
  // A sample of the start is worth nothing until a whole window was taken since the pod became what it is.
  if (startAge < flags.cpuInitializationPeriodSeconds) return !ready || lastTransitionAge - metric.age < metric.window;
  // Later, only a pod that has never been ready is set aside.
  return !ready && startAge - lastTransitionAge < flags.initialReadinessDelaySeconds;
}

/** Pods that run and are ready: what Object and External values are shared among. */
export function countReady(pods: readonly Pod[]): number {
  const isReady = ({ phase, ready }: Pod) => phase === 'Running' && ready === true;
  return pods.reduce((total, pod) => (isReady(pod) ? total + manyOf(pod) : total), 0);
}

export function manyOf({ many }: Pick<Pod, 'many'>): number {
  return many ?? 1;
}
