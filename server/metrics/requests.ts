import type { Registry } from 'prom-client';
import { DURATION_BUCKETS, type VersionStats } from '../request-stats.ts';
import { SIZE_BUCKETS } from '../work-stats.ts';
import { counter, gauge, histogram, type Observed } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

/** What came of requests: counted in plain arrays, and written out when asked for, so that a request does not pay for it. */
export function registerRequests(registry: Registry, { stats, access }: MetricsSource, view: () => View): void {
  const observed = (pick: (one: VersionStats) => Observed) => () =>
    view().stats.map((one) => ({ labels: { model: one.model, version: one.version }, observed: pick(one) }));
  counter(registry, 'kedge_requests_total', 'Requests for predictions, by HTTP status', () =>
    view().stats.flatMap(({ model, version, codes }) =>
      [...codes].map(([code, value]) => ({ labels: { model, version, code: String(code) }, value })),
    ),
  );
  counter(
    registry,
    'kedge_inflight_seconds_total',
    'Integral over time of the requests under way: its rate is the average concurrency',
    () => [{ labels: {}, value: stats.inflight.total() }],
  );
  gauge(registry, 'kedge_inflight_requests', 'Requests for predictions that are under way', [], (add) =>
    add({}, stats.inflight.count),
  );
  histogram(
    registry,
    'kedge_request_duration_seconds',
    'Time from the head of a request to its answer',
    DURATION_BUCKETS,
    observed((one) => one.request),
  );
  histogram(
    registry,
    'kedge_inference_duration_seconds',
    'Time of the inference in a request',
    DURATION_BUCKETS,
    observed((one) => one.inference),
  );
  histogram(
    registry,
    'kedge_run_rows',
    'Rows of the runs; their number is that of runs',
    SIZE_BUCKETS,
    observed((one) => one.work.runRows),
  );
  histogram(
    registry,
    'kedge_run_requests',
    'Requests that a run answered: more than one where they were merged',
    SIZE_BUCKETS,
    observed((one) => one.work.runRequests),
  );
  counter(registry, 'kedge_connection_errors_total', 'Clients refused before their bytes were a request, by code', () =>
    [...stats.refused].map(([code, value]) => ({ labels: { code }, value })),
  );
  counter(registry, 'kedge_access_denied_total', 'Requests without the right to what they ask for, by code', () =>
    [...access.denied].map(([code, value]) => ({ labels: { code }, value })),
  );
  counter(
    registry,
    'kedge_turned_away_total',
    'Requests that were not answered for want of time or room, by reason',
    () =>
      view().queues.flatMap(({ model, version, turnedAway }) =>
        Object.entries(turnedAway).map(([reason, value]) => ({ labels: { model, version, reason }, value })),
      ),
  );
  gauge(registry, 'kedge_queue_rows', 'Rows that are admitted and not answered', ['model', 'version'], (add) => {
    for (const { model, version, rows } of view().queues) add({ model, version }, rows);
  });
}
