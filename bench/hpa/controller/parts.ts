import { DEFAULT_FLAGS } from '../spec.ts';
import type { MetricModel, Scenario, Steps } from './scenario.ts';

/** Parts that scenarios are put together from. */

interface Spec {
  minReplicas?: number;
  maxReplicas: number;
  metrics: readonly object[];
  behavior?: object;
}

function hpa(name: string, spec: Spec): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...spec },
  };
}

type Optional = 'flags' | 'changes' | 'pods' | 'hpa';
export type Written = Omit<Scenario, Optional> & {
  flags?: Partial<Scenario['flags']>;
  changes?: Scenario['changes'];
  pods?: Partial<Scenario['pods']>;
} & ({ spec: Spec } | { hpa: object });

/** Pods run after 1 s, are ready 3 s later and drain in 5 s, where nothing else is said. */
export function scenario(written: Written): Scenario {
  const { name, about, seconds, replicas, metrics, changes = [] } = written;
  return {
    name,
    about,
    seconds,
    replicas,
    flags: { ...DEFAULT_FLAGS, ...written.flags },
    hpa: 'hpa' in written ? written.hpa : hpa(name, written.spec),
    changes,
    pods: {
      running: [[0, 1]],
      ready: [[0, 3]],
      drain: 5,
      serverRequest: 1000,
      unready: [],
      failed: [],
      surge: [],
      most: [[0, 1000]],
      ...written.pods,
    },
    metrics,
  };
}

/** Steps in units, as a metric in thousandths. */
export function reads(units: Steps, over: Partial<MetricModel> = {}): MetricModel {
  const total: Steps = units.map(([from, value]) => [from, Math.round(value * 1000)]);
  return { total, start: 0, age: 0, window: 15, away: [], silent: [], ...over };
}

export function podsMetric(averageValue: string, name = 'inflight_requests'): object {
  return { type: 'Pods', pods: { metric: { name }, target: { type: 'AverageValue', averageValue } } };
}

export function external(target: object, name = 'queue'): object {
  return { type: 'External', external: { metric: { name }, target } };
}

export function object(target: object): object {
  const describedObject = { apiVersion: 'v1', kind: 'Service', name: 'web' };
  return { type: 'Object', object: { metric: { name: 'requests' }, describedObject, target } };
}

export function average(averageValue: string): object {
  return { type: 'AverageValue', averageValue };
}

export function value(of: string): object {
  return { type: 'Value', value: of };
}

export function cpu(averageUtilization: number): object {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

export function serverCpu(averageUtilization: number): object {
  const target = { type: 'Utilization', averageUtilization };
  return { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'server', target } };
}
