import { Gauge, type Metric, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
}

/** Counts of observations by bucket, each bucket for itself, the last for what is over all bounds. */
export interface Observed {
  counts: readonly number[];
  sum: number;
}

/** A gauge whose values are asked for at each scrape. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  collect: (add: (labels: Labels, value: number) => void) => void,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      // A gauge without labels is 0 after a reset, one with labels is empty.
      collect((labels, value) => this.set(labels, value));
    },
  });
}

/** A counter that is kept elsewhere. */
export function counter(registry: Registry, name: string, help: string, values: () => readonly Sample[]): void {
  register(registry, name, help, 'counter', values);
}

/** A histogram that is kept elsewhere. @param bounds upper ones, without the infinite */
export function histogram(
  registry: Registry,
  name: string,
  help: string,
  bounds: readonly number[],
  values: () => readonly { labels: Labels; observed: Observed }[],
): void {
  register(registry, name, help, 'histogram', () =>
    values().flatMap(({ labels, observed }) => histogramValues(name, bounds, labels, observed)),
  );
}

function histogramValues(name: string, bounds: readonly number[], labels: Labels, { counts, sum }: Observed): object[] {
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    // Shares of what is still under way are no observations yet.
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bounds[index] ?? '+Inf' },
      value: Math.round(below),
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: Math.round(below) },
  ];
}

/** A metric whose values are kept elsewhere: the registry asks it for nothing but these. */
function register(
  registry: Registry,
  name: string,
  help: string,
  type: 'counter' | 'histogram',
  values: () => readonly object[],
): void {
  const get = async () => ({ name, help, type, values: values(), aggregator: 'sum' });
  registry.registerMetric({
    name,
    help,
    type,
    get,
    getForPromString: get,
    reset: () => undefined,
  } as unknown as Metric);
}
