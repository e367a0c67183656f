import type { Gate } from '../gate/gate.ts';
import type { Access } from '../gate/guard.ts';
import type { VersionQueue } from '../gate/queue.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import type { RequestStats, VersionStats } from '../request-stats.ts';
import { type Labels, labelsOf } from './exposition.ts';

/** What the metrics tell of. */
export interface MetricsSource {
  /** What admission of load turned away. */
  gate: Gate;
  access: Access;
  stats: RequestStats;
  models(): Iterable<ServedModel>;
  /** Bytes that a version takes; undefined while nothing of it is loaded. */
  memoryOf(version: ServedVersion): number | undefined;
  /** What all versions take and may take, in bytes; no limit if undefined. */
  memory(): { takenBytes: number; budgetBytes: number | undefined };
  /** Memory of the machine or of the cgroup, in bytes. */
  machine(): { totalBytes: number; usedBytes: number };
  isReady(): boolean;
  /** Whether catalog.json can be read and understood now. */
  catalogReadable(): boolean;
}

/** Something with the labels `model` and `version`. */
interface Labelled {
  model: string;
  version: string;
  labels: Labels;
}

/** What is known at the time of one scrape, looked up once for all metrics. */
export interface View {
  models: readonly ServedModel[];
  /** For each version number the instance to speak of. */
  versions: readonly (Labelled & { served: ServedVersion })[];
  stats: readonly { labels: Labels; stats: VersionStats }[];
  /** Several where a version number stands for other bytes than before. */
  queues: readonly { labels: Labels; same: readonly VersionQueue[] }[];
}

/**
 * Takes the view, and drops what was counted of versions that are gone: labels name nothing but what the catalog or this server has, so
 * that nobody can make series by asking.
 */
export function viewOf({ models, stats, gate }: Pick<MetricsSource, 'models' | 'stats' | 'gate'>): View {
  const all = [...models()];
  const versions = all.flatMap((model) =>
    [...new Set(model.versions.map(({ version }) => version))].map((number) => ({
      ...labelled(model.name, String(number)),
      served: model.find(number)!,
    })),
  );
  const known = new Map(versions.map(({ model, version, labels }) => [`${model}/${version}`, labels]));
  // What asked for no version that there is.
  for (const name of ['', ...all.map((model) => model.name)]) known.set(`${name}/`, labelled(name, '').labels);
  const labelsFor = ({ model, version }: { model: string; version: string }) => known.get(`${model}/${version}`);
  stats.keep((one) => labelsFor(one) !== undefined);
  gate.keep((queue) => labelsFor(queue) !== undefined);
  const queues = Map.groupBy(gate.queues(), (queue) => labelsFor(queue) ?? labelled(queue.model, queue.version).labels);
  return {
    models: all,
    versions,
    stats: [...stats.all()].map((one) => ({ labels: labelsFor(one)!, stats: one })),
    queues: [...queues].map(([labels, same]) => ({ labels, same })),
  };
}

function labelled(model: string, version: string): Labelled {
  return { model, version, labels: labelsOf({ model, version }) };
}
