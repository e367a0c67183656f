import { collectDefaultMetrics, Gauge, type Metric, type MetricValue, Registry } from 'prom-client';
import { isAvailable } from '../contract/catalog.ts';
import { KEDGE_VERSION } from '../contract/version.ts';
import { shownState } from './api/describe.ts';
import type { Gate } from './gate/gate.ts';
import type { Access } from './gate/guard.ts';
import type { VersionQueue } from './gate/queue.ts';
import type { ServedModel } from './lifecycle/served-model.ts';
import { DURATION_BUCKETS, type Durations, type RequestStats, type VersionStats } from './request-stats.ts';

export interface MetricsSource {
  /** What admission of load turned away. */
  gate: Gate;
  access: Access;
  stats: RequestStats;
  models(): Iterable<ServedModel>;
  isReady(): boolean;
  /** Whether catalog.json can be read and understood now. */
  catalogReadable(): boolean;
}

/**
 * The metrics of the server in a registry of its own. Counters of requests are kept in plain arrays and written out when they are
 * asked for, so that a request does not pay for them. Labels are bounded: only names and versions that the catalog or the server has.
 */
export function createMetrics(source: MetricsSource): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerRequests(registry, source);
  registerModels(registry, source);
  registerGate(registry, source);
  gauge(registry, 'kedge_ready', 'Whether the server is ready', [], (add) => add({}, Number(source.isReady())));
  gauge(registry, 'kedge_catalog_readable', 'Whether the catalog on the volume can be read now', [], (add) =>
    add({}, Number(source.catalogReadable())),
  );
  gauge(registry, 'kedge_build_info', 'The release of Kedge', ['version'], (add) => add({ version: KEDGE_VERSION }, 1));
  return registry;
}

function registerRequests(registry: Registry, { stats, models }: MetricsSource): void {
  const versions = (): Iterable<VersionStats> => {
    const known = new Map([...models()].map((model) => [model.name, model]));
    stats.keep(({ model, version }) => {
      const found = known.get(model);
      return model === '' || (found !== undefined && (version === '' || found.find(Number(version)) !== undefined));
    });
    return stats.all();
  };
  counter(registry, 'kedge_requests_total', 'Requests for predictions, by HTTP status', () =>
    [...versions()].flatMap(({ model, version, codes }) =>
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
    versions,
    (one) => one.request,
  );
  histogram(
    registry,
    'kedge_inference_duration_seconds',
    'Time of the inference in a request',
    versions,
    (one) => one.inference,
  );
}

function registerGate(registry: Registry, { gate, access, models }: MetricsSource): void {
  const queues = (): VersionQueue[] => {
    const known = new Map([...models()].map((model) => [model.name, model]));
    gate.keep(({ model, version }) => known.get(model)?.find(Number(version)) !== undefined);
    return [...gate.queues()];
  };
  counter(
    registry,
    'kedge_turned_away_total',
    'Requests that were not answered for want of time or room, by reason',
    () =>
      queues().flatMap(({ model, version, turnedAway }) =>
        Object.entries(turnedAway).map(([reason, value]) => ({ labels: { model, version, reason }, value })),
      ),
  );
  gauge(registry, 'kedge_queue_rows', 'Rows that are admitted and not answered', ['model', 'version'], (add) => {
    for (const { model, version, rows } of queues()) add({ model, version }, rows);
  });
  counter(registry, 'kedge_access_denied_total', 'Requests without the right to what they ask for, by code', () =>
    [...access.denied].map(([code, value]) => ({ labels: { code }, value })),
  );
}

function registerModels(registry: Registry, { models }: MetricsSource): void {
  const labels = ['model', 'version'] as const;
  gauge(registry, 'kedge_model_state', '1 for the state that each known version is in', [...labels, 'state'], (add) => {
    for (const model of models()) {
      for (const [version, state] of statesOf(model)) add({ model: model.name, version: String(version), state }, 1);
    }
  });
  gauge(
    registry,
    'kedge_model_refused',
    '1 for each reason why a version does not serve',
    [...labels, 'code'],
    (add) => {
      for (const model of models()) {
        for (const [version, code] of reasonsOf(model)) add({ model: model.name, version: String(version), code }, 1);
      }
    },
  );
  gauge(registry, 'kedge_active_version', 'The version that answers unversioned requests', ['model'], (add) => {
    for (const { name, active } of models()) if (active) add({ model: name }, active.version);
  });
  gauge(registry, 'kedge_model_load_seconds', 'Time that the last load and warm-up took', [...labels], (add) => {
    for (const model of models()) {
      for (const { version, loadMs } of model.versions) {
        if (loadMs !== undefined) add({ model: model.name, version: String(version) }, loadMs / 1000);
      }
    }
  });
}

function statesOf(model: ServedModel): Map<number, string> {
  const states = new Map<number, string>(model.catalog.versions.map(({ version, state }) => [version, state]));
  for (const { version } of model.versions) states.set(version, shownState(model.find(version)!.state));
  return states;
}

function reasonsOf(model: ServedModel): [number, string][] {
  const served = new Set(model.versions.map(({ version }) => version));
  const listed = model.catalog.versions.filter(({ version }) => !served.has(version));
  return [
    ...model.versions.flatMap(({ version, reasons }) => reasons.map(({ code }): [number, string] => [version, code])),
    ...listed.flatMap((one) =>
      isAvailable(one) ? [] : one.reasons.map(({ code }): [number, string] => [one.version, code]),
    ),
  ];
}

type Labels = Record<string, string>;

function gauge(
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

type Values = MetricValue<string>[] & { metricName?: string }[];

function counter(
  registry: Registry,
  name: string,
  help: string,
  values: () => { labels: Labels; value: number }[],
): void {
  register(registry, name, help, 'counter', values);
}

function histogram(
  registry: Registry,
  name: string,
  help: string,
  versions: () => Iterable<VersionStats>,
  durations: (stats: VersionStats) => Durations,
): void {
  register(registry, name, help, 'histogram', () =>
    [...versions()].flatMap((stats) =>
      histogramValues(name, { model: stats.model, version: stats.version }, durations(stats)),
    ),
  );
}

function histogramValues(name: string, labels: Labels, { counts, sum }: Durations): Values {
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const le = index < DURATION_BUCKETS.length ? DURATION_BUCKETS[index]! : '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}

/** A metric whose values are kept elsewhere: the registry asks it for nothing but these. */
function register(registry: Registry, name: string, help: string, type: string, values: () => object[]): void {
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
