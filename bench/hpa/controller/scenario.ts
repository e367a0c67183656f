import type { ControllerFlags } from '../spec.ts';

/** A function of seconds as rows of (from, value): the last row that has begun counts. */
export type Steps = readonly (readonly [from: number, value: number])[];

/** Hits every nth pod, by the number in its name, from one second until another. */
export interface Spell {
  from: number;
  to: number;
  every: number;
}

/** What the real controller is driven through. Seconds count from its start; all that is not said is as at a quiet Deployment. */
export interface Scenario {
  name: string;
  /** What it is for. */
  about: string;
  seconds: number;
  /** `spec.replicas` at the start, all ready for an hour. */
  replicas: number;
  flags: ControllerFlags;
  /** A HorizontalPodAutoscaler of autoscaling/v2. */
  hpa: object;
  /** Half a second past `at`: other bounds, or replicas set by hand. */
  changes: readonly { at: number; minReplicas?: number; maxReplicas?: number; replicas?: number }[];
  pods: {
    /** Seconds from creation to phase Running, by the time of creation. */
    running: Steps;
    /** Seconds from Running to ready, by the time of creation. */
    ready: Steps;
    /** Seconds from deletion until it is gone. */
    drain: number;
    /** CPU requests in thousandths; the loader is a native sidecar. */
    serverRequest: number;
    loaderRequest?: number;
    /** Pods that stop being ready, of those that were. */
    unready: readonly Spell[];
    /** A pod that fails; another is created at once, and the failed one is listed until it is cleaned away. */
    failed: readonly { at: number; pod: number; until: number }[];
    /** Pods beyond `spec.replicas` for a while, as during a rolling update. */
    surge: readonly { from: number; to: number; many: number }[];
    /** No pod is created beyond so many, as under a quota. */
    most: Steps;
  };
  /** One for each metric of the HPA, in its order. */
  metrics: readonly MetricModel[];
}

export interface MetricModel {
  /** Thousandths in all. A metric of pods is shared evenly among those that are ready. */
  total: Steps;
  /** Thousandths of each pod that runs and is not ready. */
  start: number;
  /** Seconds since a sample was taken. */
  age: number;
  /** Seconds that a sample covers. */
  window: number;
  /** When the API does not answer. */
  away: readonly (readonly [from: number, to: number])[];
  /** Pods without a sample. */
  silent: readonly Spell[];
}
