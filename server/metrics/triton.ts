import type { Registry } from 'prom-client';
import { FAILURES, type Spent, WorkStats } from '../work-stats.ts';
import { counter, gauge, type Labels, type Sample } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

/** Of a version that was not asked yet. */
const NOTHING = new WorkStats();

interface Row {
  labels: Labels;
  work: WorkStats;
}

/**
 * The metrics that Triton Inference Server has, under its very names and labels (server:docs/user_guide/metrics.md), so that dashboards, alerts
 * and autoscaling rules made for it work as they are. They come from the same figures as the statistics extension, and agree with it. A
 * version has them from when it is ready, at 0, because a rate over a series that begins with its first request misses that one.
 *
 * Where they differ: durations of requests are of those answered, and of those that were inferred for the queue and the run, as in Triton; the time of
 * a merged run counts for each request in it. CPU memory is that of the cgroup where it sets a limit. There are no summaries, no GPU and no cache.
 */
export function registerTriton(registry: Registry, source: MetricsSource, view: () => View): void {
  const rows = (): Row[] =>
    view().versions.flatMap(({ labels, version }) => {
      const found = source.stats.find(labels['model']!, labels['version']!);
      return found || version.isReady ? [{ labels, work: found?.work ?? NOTHING }] : [];
    });
  const count = (name: string, help: string, value: (work: WorkStats) => number): void =>
    counter(registry, name, help, () => rows().map(({ labels, work }): Sample => ({ labels, value: value(work) })));

  count('nv_inference_request_success', 'Requests that were answered', ({ success }) => success.count);
  counter(registry, 'nv_inference_request_failure', 'Requests that failed, by reason', () =>
    rows().flatMap(({ labels, work }) =>
      FAILURES.map((reason): Sample => ({ labels: { ...labels, reason }, value: work.failures[reason] })),
    ),
  );
  count('nv_inference_count', 'Rows that were inferred', ({ inferences }) => inferences);
  count('nv_inference_exec_count', 'Runs of the model, each of one request or several', ({ executions }) =>
    Math.round(executions),
  );
  for (const [name, help, spent] of DURATIONS) count(name, help, (work) => microseconds(spent(work)));
  const labels = ['model', 'version'] as const;
  gauge(registry, 'nv_inference_pending_request_count', 'Requests that wait for their run to begin', labels, (add) => {
    for (const one of view().versions) if (one.version.isReady) add(one.labels, one.version.waitingForRun);
  });
  gauge(registry, 'nv_model_load_duration_secs', 'Time that the last load and warm-up took', labels, (add) => {
    for (const { labels: of, version } of view().versions) {
      if (version.isReady && version.loadMs !== undefined) add(of, version.loadMs / 1_000);
    }
  });
  gauge(registry, 'nv_cpu_memory_total_bytes', 'Memory of the machine, or of the cgroup', [], (add) =>
    add({}, source.machine().totalBytes),
  );
  gauge(registry, 'nv_cpu_memory_used_bytes', 'Memory that is in use of it', [], (add) =>
    add({}, source.machine().usedBytes),
  );
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
