import { rateOver, type Sample } from '../../bench/autoscale/signals/rate.ts';
import { type Any, documents } from '../manifests/objects.ts';

/** What a container answered at its `/metrics`. */
export interface Scrape {
  /** Seconds since 1970. */
  at: number;
  pod: string;
  container: string;
  text: string;
}

/** What a rule of prometheus-adapter makes of a counter: its rate over a window, for each pod, under another name. */
export interface Rule {
  series: string;
  name: string;
  windowSeconds: number;
}

export interface PodName {
  name: string;
  namespace: string;
}

const CPU = 'process_cpu_seconds_total';
const MEMORY = 'process_resident_memory_bytes';

/** The one rule of a configuration of prometheus-adapter. @throws where it asks for something else than a rate by pod */
export function ruleOf(config: string): Rule {
  const [{ rules }] = documents(config);
  const [{ name, metricsQuery }] = rules;
  const [, seconds] = /^sum\(rate\(<<\.Series>>\{<<\.LabelMatchers>>\}\[(\d+)s\]\)\) by \(<<\.GroupBy>>\)$/.exec(
    metricsQuery,
  ) ?? [undefined, undefined];
  if (rules.length !== 1 || seconds === undefined) throw new Error(`no rule that is known here: ${metricsQuery}`);
  return { series: name.matches, name: name.as, windowSeconds: Number(seconds) };
}

/**
 * What prometheus-adapter answers for these pods, from what Prometheus had scraped of them by then. A pod with less than two samples within the window is
 * left out.
 */
export function metricValueList(rule: Rule, pods: readonly PodName[], scrapes: readonly Scrape[], now: number): Any {
  const { series, name, windowSeconds } = rule;
  const items = pods.flatMap((pod) => {
    const rate = rateOver(samplesOf(series, scrapes, pod.name), now, windowSeconds);
    if (rate === undefined) return [];
    return [
      {
        describedObject: { kind: 'Pod', namespace: pod.namespace, name: pod.name, apiVersion: '/v1' },
        metric: { name },
        timestamp: timeOf(now),
        windowSeconds,
        value: `${Math.round(rate * 1_000)}m`,
      },
    ];
  });
  return { kind: 'MetricValueList', apiVersion: 'custom.metrics.k8s.io/v1beta2', metadata: {}, items };
}

/** What metrics-server answers for these pods: CPU between the last two looks at a container. A pod that was not seen so often is left out. */
export function podMetricsList(pods: readonly PodName[], scrapes: readonly Scrape[]): Any {
  const items = pods.flatMap((pod) => {
    const own = scrapes.filter((one) => one.pod === pod.name);
    const containers = [...new Set(own.map(({ container }) => container))].flatMap((name) =>
      usageOf(
        name,
        own.filter(({ container }) => container === name),
      ),
    );
    const [first] = containers;
    if (!first) return [];
    const { at, window } = first;
    return [
      {
        metadata: { name: pod.name, namespace: pod.namespace },
        timestamp: timeOf(at),
        window: `${window}s`,
        containers: containers.map(({ name, usage }) => ({ name, usage })),
      },
    ];
  });
  return { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items };
}

function usageOf(name: string, scrapes: readonly Scrape[]): { name: string; usage: Any; at: number; window: number }[] {
  const [before, last] = samplesOf(CPU, scrapes).slice(-2);
  // A process that began again is not told of until it was seen twice.
  if (!before || !last || last.value < before.value) return [];
  const cores = (last.value - before.value) / (last.at - before.at);
  const memory = valueIn(scrapes.at(-1)!.text, MEMORY) ?? 0;
  const usage = { cpu: `${Math.round(cores * 1e9)}n`, memory: `${Math.round(memory / 1024)}Ki` };
  return [{ name, usage, at: last.at, window: Math.round(last.at - before.at) }];
}

/** In order of time. */
function samplesOf(series: string, scrapes: readonly Scrape[], pod?: string): Sample[] {
  return scrapes.flatMap((scrape) => {
    const value = pod === undefined || scrape.pod === pod ? valueIn(scrape.text, series) : undefined;
    return value === undefined ? [] : [{ at: scrape.at, value }];
  });
}

/** The sum over all series of that name; undefined where there is none. */
function valueIn(text: string, name: string): number | undefined {
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))].map(([, value]) => Number(value));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** As the API has times. */
function timeOf(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
}
