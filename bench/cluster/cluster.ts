import type { LocalPod, PodState } from './pod.ts';

/** A pod as an autoscaler and a report see it. */
export type PodView = Pick<
  LocalPod,
  'name' | 'state' | 'since' | 'states' | 'startedAt' | 'pid' | 'ports' | 'everReady'
>;

/** A Deployment of servers behind one address. */
export interface Cluster {
  /** Where requests go. */
  readonly url: string;
  /** Pods that are there, those that drain included. */
  readonly pods: readonly PodView[];
  /** `spec.replicas`. */
  readonly replicas: number;
  /** Has so many pods; returns at once. */
  scale(replicas: number, why: string): void;
}

/** Whether it counts for `status.replicas`. */
export function counts({ state }: { state: PodState }): boolean {
  return state !== 'draining' && state !== 'gone';
}

/**
 * Which pods go when there are too many, as the ReplicaSet's controller ranks them: what is not ready before what is, then the youngest.
 * @param pods oldest first
 */
export function surplus<T extends { state: PodState }>(pods: readonly T[], replicas: number): T[] {
  const live = pods.filter(counts).toReversed();
  const ranked = [...live.filter(({ state }) => state !== 'ready'), ...live.filter(({ state }) => state === 'ready')];
  return ranked.slice(0, Math.max(0, live.length - replicas));
}
