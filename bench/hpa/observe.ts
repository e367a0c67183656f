import type { Pod, PodMetric } from './pods.ts';
import type { MetricNow } from './reconcile.ts';
import {
  MetricUnusable,
  type Proposal,
  replicasByAverage,
  replicasByPods,
  replicasByUtilization,
  replicasByValue,
} from './replicas.ts';
import type { ControllerFlags, Tolerance } from './spec.ts';

/** One metric that an HPA scales on, as its manifest says. */
export interface PolicyMetric {
  kind: MetricNow['kind'];
  /** Of the metric; of the resource for Resource and ContainerResource, `cpu` or `memory`. */
  name: string;
  /** Only for ContainerResource: the one container that counts. */
  container?: string;
  target: MetricTarget;
}

export type MetricTarget =
  | { type: 'Utilization'; percent: number }
  /** Thousandths for each pod. */
  | { type: 'AverageValue'; milli: number }
  /** Thousandths, for all pods together. */
  | { type: 'Value'; milli: number };

/** What was read for one metric at a sync; undefined where its API did not answer. */
export type Reading =
  /** By name of the pod. Requests, in thousandths, are for utilization only. */
  | { samples: ReadonlyMap<string, PodMetric>; requests?: ReadonlyMap<string, number> }
  /** One number for all, in thousandths; for External the sum of its series. */
  | { total: number };

/** What the controller knows at a sync besides its metrics. */
export interface Seen {
  /** `spec.replicas` of the scale. */
  current: number;
  /** `status.replicas` of the scale. */
  statusReplicas: number;
  pods: readonly Pod[];
  tolerance: Tolerance;
  flags: ControllerFlags;
}

/** One metric of a policy with what was read for it, to be asked by `reconcile`. */
export function metricNow(metric: PolicyMetric, reading: Reading | undefined, seen: Seen): MetricNow {
  return { kind: metric.kind, propose: () => propose(metric, reading, seen) };
}

function propose({ kind, name, target }: PolicyMetric, reading: Reading | undefined, seen: Seen): Proposal {
  if (!reading) throw new MetricUnusable(`${name} was not answered`);
  const { current: currentReplicas, statusReplicas, pods, tolerance, flags } = seen;
  if ('total' in reading) {
    const usage = reading.total;
    if (target.type === 'Value')
      return replicasByValue({ currentReplicas, pods, usage, target: target.milli, tolerance });
    if (target.type === 'AverageValue')
      return replicasByAverage({ statusReplicas, usage, target: target.milli, tolerance });
    throw new TypeError(`${kind} ${name} is one number for all pods and has no utilization`);
  }
  const isCpu = kind !== 'Pods' && name === 'cpu';
  const input = { currentReplicas, pods, metrics: reading.samples, tolerance, flags };
  if (target.type === 'AverageValue') return replicasByPods({ ...input, target: target.milli, isCpu });
  if (target.type === 'Utilization') {
    return replicasByUtilization({ ...input, target: target.percent, requests: reading.requests ?? new Map(), isCpu });
  }
  throw new TypeError(`${kind} ${name} is measured for each pod and has no target of type Value`);
}
