import pLimit from 'p-limit';
import { CATALOG_SCHEMA_VERSION, type CatalogAvailable, type CatalogModel, isAvailable } from '../contract/catalog.ts';
import { versionDir } from '../contract/layout.ts';
import { isRetired } from '../contract/rollout.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Models, rolloutOf, withoutEntry } from './catalog-edit.ts';
import { findDamage } from './verify.ts';
import { BROKEN_CATALOG, type Volume } from './volume.ts';
import { onVolume } from './volume-error.ts';

export interface Recovered {
  models: Models;
  /** Of the catalog on the volume; undefined where there is none that can be read. */
  generation: number | undefined;
  /** Whole versions that lie there and are in no catalog. */
  orphans: { model: string; version: number }[];
}

export interface RecoverOptions {
  log: Log;
  clock: Clock;
  /** Told while it goes on. */
  onProgress: () => void;
}

/** Versions verified at once. Reading and hashing are bound by disk and CPU. */
const AT_ONCE = 2;

/**
 * What can be relied on after a start, whatever the loader before was doing when it ended. Staging is emptied; every version
 * that the catalog names is verified byte by byte, and struck out if it is damaged, so that it is fetched again; versions that
 * lie there without being named are told, to be adopted.
 * @throws KedgeError `volume-failed`, `volume-locked`
 */
export async function recover(volume: Volume, { log, clock, onProgress }: RecoverOptions): Promise<Recovered> {
  await volume.tidy();
  const read = await volume.readCatalog();
  if (read.status === 'broken') {
    await volume.keepBrokenCatalog();
    log.error(
      { code: 'document-invalid', kept: BROKEN_CATALOG },
      `The catalog on the volume cannot be read (${read.why}). It is made anew from what lies on the volume and in the bucket.`,
    );
  }
  const before = read.status === 'ok' ? read.catalog.models : [];
  const damaged = await findDamaged(volume, before, onProgress);
  let models: Models = before;
  for (const { model, version, why } of damaged) {
    log.error({ model, version, code: 'object-corrupt' }, `${model}/${version} on the volume is damaged: ${why}.`);
    models = withoutEntry(models, model, version);
  }
  let generation = read.status === 'ok' ? read.catalog.generation : undefined;
  if (generation !== undefined && damaged.length > 0) {
    generation += 1;
    const writtenAt = isoTime(clock.now());
    await volume.writeCatalog({ schemaVersion: CATALOG_SCHEMA_VERSION, generation, writtenAt, models: [...models] });
  }
  const orphans = (await volume.versions()).filter(({ model, version }) => {
    const entry = models.find(({ name }) => name === model)?.versions.find((each) => each.version === version);
    return entry === undefined || !isAvailable(entry);
  });
  return {
    models,
    generation,
    orphans: orphans.filter(({ model, version }) => !isRetired(rolloutOf(models, model), version)),
  };
}

async function findDamaged(volume: Volume, models: readonly CatalogModel[], onProgress: () => void) {
  const limit = pLimit(AT_ONCE);
  const checks = models.flatMap(({ name: model, versions }) =>
    versions.filter(isAvailable).map((entry) =>
      limit(async () => {
        const why = await damageOf(volume, model, entry);
        onProgress();
        return { model, version: entry.version, why };
      }),
    ),
  );
  const checked = await Promise.all(checks);
  return checked.filter((each): each is { model: string; version: number; why: string } => each.why !== undefined);
}

async function damageOf(volume: Volume, model: string, entry: CatalogAvailable): Promise<string | undefined> {
  const path = versionDir(model, entry.version);
  if (entry.path !== path) return `its path is ${entry.path} and not ${path}`;
  return onVolume(`reading ${path}`, () => findDamage(volume.dirOf(model, entry.version), entry.manifest.files));
}
