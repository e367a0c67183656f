import { CATALOG_SCHEMA_VERSION } from '../contract/catalog.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { entriesOf, type Models, rolloutOf, withEntry, withoutEntry } from './catalog-edit.ts';
import type { LoaderMetrics } from './metrics.ts';
import { stampSuperseded } from './retention.ts';
import type { Volume } from './volume.ts';

export interface KeeperOptions {
  volume: Volume;
  clock: Clock;
  metrics: LoaderMetrics;
  models: Models;
  /** Of the catalog on the volume; undefined where there is none. */
  generation: number | undefined;
}

/**
 * The catalog in memory, and its way to the volume. One write at a time; what is edited while one is under way goes with the
 * next. A version that is taken out leaves the volume only after the catalog without it is there.
 */
export class CatalogKeeper {
  readonly #options: KeeperOptions;
  #models: Models;
  #generation: number | undefined;
  #dirty = false;
  #writing: Promise<void> | undefined;
  /** Taken out of the catalog, and perhaps still on the volume. */
  readonly #leaving = new Map<string, { model: string; version: number }>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#models = options.models;
    this.#generation = options.generation;
    options.metrics.showCatalog(options.models);
  }

  get models(): Models {
    return this.#models;
  }

  /** Of the catalog on the volume. */
  get generation(): number | undefined {
    return this.#generation;
  }

  /** Whether the catalog on the volume says what the one in memory says, and nothing is left to remove. */
  get inStep(): boolean {
    return !this.#dirty && this.#leaving.size === 0 && this.#writing === undefined;
  }

  /** `model/version` of each that was taken out of the catalog and may still lie on the volume. */
  get leaving(): string[] {
    return [...this.#leaving.keys()];
  }

  /** `change` gives back the same list where there is nothing to change. */
  edit(change: (models: Models) => Models): void {
    const before = new Set(this.#models);
    const now = this.#options.clock.now();
    let models = change(this.#models);
    if (models === this.#models) return;
    for (const { name } of models.filter((model) => !before.has(model))) {
      const entries = entriesOf(models, name);
      const stamped = stampSuperseded(entries, rolloutOf(models, name), now);
      for (const [i, entry] of stamped.entries()) if (entry !== entries[i]) models = withEntry(models, name, entry);
    }
    this.#models = models;
    this.#dirty = true;
    this.#options.metrics.showCatalog(models);
  }

  /** Takes a version out of the catalog, and its files away once the catalog without it is on the volume. */
  take(model: string, version: number): void {
    this.edit((models) => withoutEntry(models, model, version));
    this.#leaving.set(`${model}/${version}`, { model, version });
  }

  /** Writes the catalog again though nothing was edited. */
  touch(): void {
    this.#dirty = true;
  }

  /** Whether the catalog on the volume is not the one that was last written: somebody took it away or put another there. */
  async isLost(): Promise<boolean> {
    if (this.#generation === undefined || !this.inStep) return false;
    const generation = this.#generation;
    const read = await this.#options.volume.readCatalog();
    if (this.#generation !== generation || !this.inStep) return false;
    return read.status !== 'ok' || read.catalog.generation !== generation;
  }

  /** Resolves once all that was edited before is on the volume. @throws KedgeError `volume-failed`, `volume-locked`; then it is still to be written */
  async flush(): Promise<void> {
    if (this.inStep) return;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { volume, clock, metrics } = this.#options;
    while (this.#dirty || this.#leaving.size > 0) {
      const leaving = [...this.#leaving];
      if (this.#dirty) {
        this.#dirty = false;
        // A first one begins at the time, so that one that was lost and made anew still grows for whoever saw the one before.
        const generation = this.#generation === undefined ? clock.now() : this.#generation + 1;
        const writtenAt = isoTime(clock.now());
        const models = [...this.#models];
        try {
          await volume.writeCatalog({ schemaVersion: CATALOG_SCHEMA_VERSION, generation, writtenAt, models });
        } catch (error) {
          this.#dirty = true;
          throw error;
        }
        this.#generation = generation;
        metrics.catalogGeneration.set(generation);
      }
      for (const [key, { model, version }] of leaving) {
        await volume.remove(model, version);
        this.#leaving.delete(key);
      }
    }
  }
}
