import { KedgeError } from '../../../contract/errors.ts';
import { durationSeconds } from '../../hpa/duration.ts';
import type { PolicyMetric } from '../../hpa/observe.ts';

/** What a metric of a policy is about: of the pods, or `pending`, what is under way in front of them and held there while there is none. */
export type Measure = 'concurrency' | 'cpu' | 'memory' | 'pending';

/** Names that requests under way go by: that of prometheus-adapter here, and others that say so. */
const CONCURRENCY = /concurren|in_?flight/i;
/** What KEDA's HTTP add-on counts of a route: what its scaler tells, and what its interceptor tells Prometheus (0.14 on, and before). */
const PENDING = /^s\d+-http_.*_concurrency$/;
const PENDING_QUERY = /interceptor_(?:request_concurrency|pending_request_count)/;
const QUERY = /kedge_inflight_seconds_total[^\n]*?\[((?:\d+(?:ms|s|m|h))+)\]/;

/**
 * What each metric of a policy is measured by here.
 * @param manifest its text: only there a HorizontalPodAutoscaler that KEDA made says what is asked of Prometheus
 * @param queries of triggers, by the name of their metric
 * @throws KedgeError `config-invalid` for a metric that a local run cannot measure
 */
export function measuresOf(
  metrics: readonly PolicyMetric[],
  manifest: string,
  queries: ReadonlyMap<string, string> = new Map(),
): Measure[] {
  return metrics.map((metric) => {
    const { kind, name } = metric;
    const query = queries.get(name) ?? manifest;
    if (kind === 'External' && (PENDING.test(name) || PENDING_QUERY.test(query))) return 'pending';
    const isResource = kind === 'Resource' || kind === 'ContainerResource';
    if (isResource && (name === 'cpu' || name === 'memory')) return name;
    if (!isResource && (CONCURRENCY.test(name) || (kind === 'External' && QUERY.test(query)))) return 'concurrency';
    throw new KedgeError(
      'config-invalid',
      `The ${kind} metric ${name} is not one that this bench measures: requests under way (a query of kedge_inflight_seconds_total, or a name such as kedge_concurrency), those in front of the pods (of KEDA's HTTP add-on), cpu and memory. Leave it out for a run here, or take --cluster.`,
    );
  });
}

/** Seconds that the rate of requests under way is taken over, where a query says it. */
export function windowOf(manifest: string): number | undefined {
  return durationSeconds(QUERY.exec(manifest)?.[1] ?? '');
}
