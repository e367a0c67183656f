import type { Gate } from '../gate/gate.ts';
import type { Access } from '../gate/guard.ts';
import type { VersionQueue } from '../gate/queue.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import type { RequestStats, VersionStats } from '../request-stats.ts';
import type { Labels } from './exposition.ts';

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

/** One version that a label names: the instance of its number to speak of. */
export interface Named {
  labels: Labels;
  version: ServedVersion;
}

/** What is known at the time of one scrape, looked up once for all metrics. */
export interface View {
  models: readonly ServedModel[];
  versions: readonly Named[];
  stats: readonly VersionStats[];
  queues: readonly VersionQueue[];
}

/**
 * Takes the view, and drops what was counted of versions that are gone: labels name nothing but what the catalog or this server has, so
 * that nobody can make series by asking.
 */
export function viewOf({ models, stats, gate }: MetricsSource): View {
  const all = [...models()];
  const versions = all.flatMap((model) =>
    [...new Set(model.versions.map(({ version }) => version))].map((number) => ({
      labels: { model: model.name, version: String(number) },
      version: model.find(number)!,
    })),
  );
  const named = new Set(versions.map(({ labels }) => `${labels['model']}/${labels['version']}`));
  const names = new Set(all.map(({ name }) => name));
  const isKnown = ({ model, version }: { model: string; version: string }): boolean =>
    version === '' ? model === '' || names.has(model) : named.has(`${model}/${version}`);
  stats.keep(isKnown);
  gate.keep(isKnown);
  return { models: all, versions, stats: [...stats.all()], queues: [...gate.queues()] };
}
