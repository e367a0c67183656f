import { LOAD_REASONS } from '../gate/admission.ts';
import type { VersionQueue } from '../gate/queue.ts';
import { DURATION_BUCKETS, type VersionStats } from '../request-stats.ts';
import { SIZE_BUCKETS } from '../work-stats.ts';
import { counter, type Family, gauge, histogram, type Labels, type Observed, type Sample } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

/** What came of requests: counted in plain arrays, and written out when asked for, so that a request does not pay for it. */
export function requestMetrics({ stats, access }: MetricsSource, view: () => View): Family[] {
  const observed = (pick: (one: VersionStats) => Observed) =>
    function* (): Iterable<readonly [Labels, Observed]> {
      for (const { labels, stats: one } of view().stats) yield [labels, pick(one)];
    };
  return [
    counter('kedge_requests_total', 'Requests for predictions, by HTTP status', function* (): Iterable<Sample> {
      for (const { labels, stats: one } of view().stats) {
        for (const [code, value] of one.codes) yield [`${labels},code="${code}"`, value];
      }
    }),
    counter(
      'kedge_inflight_seconds_total',
      'Integral over time of the requests under way: its rate is the average concurrency',
      () => [['', stats.inflight.total()]],
    ),
    gauge('kedge_inflight_requests', 'Requests for predictions that are under way', () => [['', stats.inflight.count]]),
    histogram(
      'kedge_request_duration_seconds',
      'Time from the head of a request to its answer',
      DURATION_BUCKETS,
      observed((one) => one.request),
    ),
    histogram(
      'kedge_inference_duration_seconds',
      'Time of the inference in a request',
      DURATION_BUCKETS,
      observed((one) => one.inference),
    ),
    histogram(
      'kedge_run_rows',
      'Rows of the runs; their number is that of runs',
      SIZE_BUCKETS,
      observed((one) => one.work.runRows),
    ),
    histogram(
      'kedge_run_requests',
      'Requests that a run answered: more than one where they were merged',
      SIZE_BUCKETS,
      observed((one) => one.work.runRequests),
    ),
    counter('kedge_connection_errors_total', 'Clients refused before their bytes were a request, by code', () =>
      byLabel('code', stats.refused),
    ),
    counter('kedge_access_log_dropped_total', 'Lines of the access log that were dropped, as nobody read them', () => [
      ['', stats.droppedLines],
    ]),
    counter('kedge_access_denied_total', 'Requests without the right to what they ask for, by code', () =>
      byLabel('code', access.denied),
    ),
    counter(
      'kedge_turned_away_total',
      'Requests that were not answered for want of time or room, by reason',
      function* (): Iterable<Sample> {
        for (const { labels, same } of view().queues) {
          for (const reason of LOAD_REASONS) {
            yield [`${labels},reason="${reason}"`, sum(same, ({ turnedAway }) => turnedAway[reason])];
          }
        }
      },
    ),
    gauge('kedge_queue_rows', 'Rows that are admitted and not answered', function* (): Iterable<Sample> {
      for (const { labels, same } of view().queues) yield [labels, sum(same, ({ rows }) => rows)];
    }),
  ];
}

function sum(queues: readonly VersionQueue[], value: (queue: VersionQueue) => number): number {
  return queues.reduce((total, queue) => total + value(queue), 0);
}

function* byLabel(name: string, values: ReadonlyMap<string, number>): Iterable<Sample> {
  for (const [label, value] of values) yield [`${name}="${label}"`, value];
}
