import { isAvailable } from '../contract/catalog.ts';
import { hasCode } from '../contract/errors.ts';
import { entryOf } from './catalog-edit.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import type { Services } from './services.ts';

/** Looks whether the volume still has what was put on it. */
export class VolumeCheck {
  readonly #keeper: CatalogKeeper;
  readonly #services: Pick<Services, 'volume' | 'log'>;
  /** Available ones whose folders somebody took from the volume; servers may hold them still, so their entries stay. */
  readonly #lost = new Set<string>();

  constructor(keeper: CatalogKeeper, services: Pick<Services, 'volume' | 'log'>) {
    this.#keeper = keeper;
    this.#services = services;
  }

  /** What is missing is told of once; a catalog that is not the one written last is written again. */
  async look(): Promise<void> {
    const { log } = this.#services;
    try {
      if (await this.#keeper.isLost()) {
        log.warn('The catalog on the volume is not the one that was written last. It is written again.');
        this.#keeper.touch();
      }
      for (const { name, versions } of this.#keeper.models)
        for (const { version } of versions.filter(isAvailable)) await this.#lookAt(name, version);
    } catch (error) {
      // The next write tells of a volume that is in trouble.
      if (!hasCode(error, 'volume-failed')) throw error;
      log.warn({ code: error.code }, error.message);
    }
  }

  /** Versions of a model that are in the catalog and not on the volume. */
  lost(model: string): Set<number> {
    const own = [...this.#lost].map((key) => key.split('/') as [string, string]);
    return new Set(own.filter(([name]) => name === model).map(([, version]) => Number(version)));
  }

  /** It was put there again. */
  found(model: string, version: number): void {
    this.#lost.delete(`${model}/${version}`);
  }

  async #lookAt(model: string, version: number): Promise<void> {
    const key = `${model}/${version}`;
    if (await this.#services.volume.has(model, version)) this.#lost.delete(key);
    else if (!this.#lost.has(key) && this.#isStill(model, version)) {
      this.#services.log.error({ model, version, code: 'object-missing' }, `${key} is gone from the volume.`);
      this.#lost.add(key);
    }
  }

  /** It may have left while the file system was asked. */
  #isStill(model: string, version: number): boolean {
    const entry = entryOf(this.#keeper.models, model, version);
    return entry !== undefined && isAvailable(entry) && !this.#keeper.leaving.includes(`${model}/${version}`);
  }
}
