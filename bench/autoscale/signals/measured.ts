import { KedgeError } from '../../../contract/errors.ts';
import type { PolicyMetric } from '../../hpa/observe.ts';

/** What of a pod a metric of a policy is about. */
export type Measure = 'concurrency' | 'cpu' | 'memory';

/** Names that requests under way go by: that of prometheus-adapter here, and others that say so. */
const CONCURRENCY = /concurren|in_?flight/i;
const QUERY = /kedge_inflight_seconds_total[^\n]*?\[(\d+)(s|m)\]/;

/**
 * What each metric of a policy is measured by here.
 * @param manifest its text: only there a trigger of KEDA says what it asks Prometheus
 * @throws KedgeError `config-invalid` for a metric that a local run cannot measure
 */
export function measuresOf(metrics: readonly PolicyMetric[], manifest: string): Measure[] {
  return metrics.map((metric) => {
    const { kind, name } = metric;
    const isResource = kind === 'Resource' || kind === 'ContainerResource';
    if (isResource && (name === 'cpu' || name === 'memory')) return name;
    if (!isResource && (CONCURRENCY.test(name) || (kind === 'External' && QUERY.test(manifest)))) return 'concurrency';
    throw new KedgeError(
      'config-invalid',
      `The ${kind} metric ${name} is not one that this bench measures: requests under way (a query of kedge_inflight_seconds_total, or a name such as kedge_concurrency), cpu and memory. Leave it out for a run here, or take --cluster.`,
    );
  });
}

/** Seconds that the rate of requests under way is taken over, where a query says it. */
export function windowOf(manifest: string): number | undefined {
  const [, number, unit] = QUERY.exec(manifest) ?? [];
  return number === undefined ? undefined : Number(number) * (unit === 'm' ? 60 : 1);
}
