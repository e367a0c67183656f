import type { ServedVersion } from '../lifecycle/served-version.ts';
import { FAILURES, type Spent, WorkStats } from '../work-stats.ts';
import { counter, type Family, gauge, type Labels, type Sample } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

/** Of a version that was not asked yet. */
const NOTHING = new WorkStats();

/**
 * The metrics that Triton Inference Server has, under its very names and labels (server:docs/user_guide/metrics.md), so that dashboards, alerts
 * and autoscaling rules made for it work as they are. They come from the same figures as the statistics extension, and agree with it. A
 * version has them from when it is ready, at 0, because a rate over a series that begins with its first request misses that one.
 *
 * Where they differ: durations of requests are of those answered, and of those that were inferred for the queue and the run, as in Triton; the time of
 * a merged run counts for each request in it. CPU memory is that of the cgroup where it sets a limit. There are no summaries, no GPU and no cache.
 */
export function tritonMetrics({ stats, machine }: MetricsSource, view: () => View): Family[] {
  function* works(): Iterable<readonly [Labels, WorkStats]> {
    for (const { model, version, labels, served } of view().versions) {
      const found = stats.find(model, version);
      if (found || served.isReady) yield [labels, found?.work ?? NOTHING];
    }
  }
  const count = (name: string, help: string, value: (work: WorkStats) => number): Family =>
    counter(name, help, function* (): Iterable<Sample> {
      for (const [labels, work] of works()) yield [labels, value(work)];
    });
  const ofReady = (name: string, help: string, value: (served: ServedVersion) => number): Family =>
    gauge(name, help, function* (): Iterable<Sample> {
      for (const { labels, served } of view().versions) if (served.isReady) yield [labels, value(served)];
    });
  return [
    count('nv_inference_request_success', 'Requests that were answered', ({ success }) => success.count),
    counter('nv_inference_request_failure', 'Requests that failed, by reason', function* (): Iterable<Sample> {
      for (const [labels, { failures }] of works()) {
        for (const reason of FAILURES) yield [`${labels},reason="${reason}"`, failures[reason]];
      }
    }),
    count('nv_inference_count', 'Rows that were inferred', ({ inferences }) => inferences),
    count('nv_inference_exec_count', 'Runs of the model, each of one request or several', ({ executions }) =>
      Math.round(executions),
    ),
    ...DURATIONS.map(([name, help, spent]) => count(name, help, (work) => microseconds(spent(work)))),
    ofReady(
      'nv_inference_pending_request_count',
      'Requests that wait for their run to begin',
      ({ waitingForRun }) => waitingForRun,
    ),
    ofReady(
      'nv_model_load_duration_secs',
      'Time that the last load and warm-up took',
      ({ loadMs = 0 }) => loadMs / 1_000,
    ),
    gauge('nv_cpu_memory_total_bytes', 'Memory of the machine, or of the cgroup', () => [['', machine().totalBytes]]),
    gauge('nv_cpu_memory_used_bytes', 'Memory that is in use of it', () => [['', machine().usedBytes]]),
  ];
}

const DURATIONS: readonly (readonly [string, string, (work: WorkStats) => Spent])[] = [
  ['nv_inference_request_duration_us', 'Time of the requests that were answered', ({ success }) => success],
  ['nv_inference_queue_duration_us', 'Time that requests waited for their run', ({ queue }) => queue],
  ['nv_inference_compute_input_duration_us', 'Time to understand requests', ({ input }) => input],
  ['nv_inference_compute_infer_duration_us', 'Time of the runs that requests were in', ({ infer }) => infer],
  ['nv_inference_compute_output_duration_us', 'Time to write answers', ({ output }) => output],
];

function microseconds({ ms }: Spent): number {
  return Math.round(ms * 1_000);
}
