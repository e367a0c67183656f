import { admit, type ServerCode } from '../../contract/admission.ts';
import { type CatalogAvailable, type CatalogModel, isAvailable } from '../../contract/catalog.ts';
import type { Clock } from '../../platform/clock.ts';
import { placeVersion } from '../placement.ts';
import { ServedModel } from './served-model.ts';
import { ServedVersion } from './served-version.ts';

export interface ServedTableOptions {
  /** Absolute root of the volume. */
  volume: string;
  engineMode: 'auto' | 'inline' | 'host';
  code: ServerCode;
  clock: Clock;
  onChange(model: ServedModel, version: ServedVersion, cause: unknown): void;
  /** A version of the model came to be in use by nobody. */
  onCold(model: ServedModel): void;
}

/** The models of the server by name, and how what the catalog says of one becomes what the server has of it. */
export class ServedTable {
  readonly #options: ServedTableOptions;
  readonly #models = new Map<string, ServedModel>();

  constructor(options: ServedTableOptions) {
    this.#options = options;
  }

  get(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  all(): MapIterator<ServedModel> {
    return this.#models.values();
  }

  /** Takes what the catalog says of a model, whole. @returns undefined where it says what it said before: the very same object */
  take(catalog: CatalogModel): ServedModel | undefined {
    const known = this.#models.get(catalog.name);
    if (known?.isShown && known.catalog === catalog) return undefined;
    const model = known ?? new ServedModel(catalog);
    this.#models.set(catalog.name, model);
    model.catalog = catalog;
    model.isShown = true;
    const available = catalog.versions.filter(isAvailable);
    for (const version of model.versions) {
      const entry = available.find(({ digest }) => digest === version.digest);
      version.vouched = entry !== undefined;
      if (entry) this.#update(version, entry);
    }
    const digests = new Set(model.versions.map(({ digest }) => digest));
    for (const entry of available) if (!digests.has(entry.digest)) this.#discover(model, entry);
    return model;
  }

  /**
   * The catalog shows no others than these: what it does not show any more goes on, and is not loaded anew. Of what was retired and
   * is gone the name goes, too.
   * @returns those that it showed before
   */
  hideOthers(shown: ReadonlySet<string>): ServedModel[] {
    const hidden: ServedModel[] = [];
    for (const model of this.#models.values()) {
      if (shown.has(model.name)) continue;
      if (model.isGone && model.versions.length === 0) this.#models.delete(model.name);
      if (!model.isShown) continue;
      model.isShown = false;
      for (const version of model.versions) version.vouched = false;
      hidden.push(model);
    }
    return hidden;
  }

  /** Makes a refused or failed version a candidate again, as far as the code of this server takes it. */
  reconsider(version: ServedVersion): void {
    version.rediscover();
    this.#admit(version);
  }

  #update(version: ServedVersion, entry: CatalogAvailable): void {
    const lookedAgain = entry.since !== version.entry.since;
    version.entry = entry;
    if (lookedAgain && (version.state === 'refused' || version.state === 'failed')) this.reconsider(version);
  }

  #discover(model: ServedModel, entry: CatalogAvailable): void {
    const { volume, clock, engineMode, onChange, onCold } = this.#options;
    const version = new ServedVersion({
      ...{ model: model.name, entry, volume, clock },
      placement: placeVersion(entry, engineMode),
      onChange: (changed, cause) => onChange(model, changed, cause),
      onCold: () => onCold(model),
    });
    model.versions.push(version);
    this.#admit(version);
  }

  #admit(version: ServedVersion): void {
    const { manifest } = version.entry;
    const reasons = admit({ model: version.model, version: version.version, manifest }, { code: this.#options.code });
    if (reasons.length > 0) version.refuse(reasons);
  }
}
