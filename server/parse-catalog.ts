import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { type Catalog, type CatalogModel, catalogSchema, isAvailable } from '../contract/catalog.ts';
import { parseJson } from '../contract/json.ts';
import { type Manifest, manifestSchema } from '../contract/manifest.ts';

/** Models that are checked before the loop has its turn: each takes tens of microseconds. */
const SLICE = 50;

interface Known {
  /** As it stood in the text, manifests apart. */
  raw: unknown;
  model: CatalogModel;
}

/**
 * Reads catalogs one after another. A model that says what it said in the catalog before is not checked again but is the very same object, so
 * that a catalog of a thousand models in which one changed does not hold up the loop that serves, and whoever takes it sees by
 * identity what changed. Manifests make up most of a catalog, and one of a known digest is known.
 */
export class CatalogParser {
  #models = new Map<string, Known>();
  #manifests = new Map<string, Manifest>();
  readonly #checked = new WeakSet<Manifest>();
  readonly #schema = modelSchemaWith((value) => this.#checked.has(value as Manifest));

  /** One at a time. @throws Error whose message says what is wrong */
  async parse(text: string): Promise<Catalog> {
    const raw = parseJson(text);
    await setImmediate();
    const shell = shellSchema.parse(raw);
    const models: CatalogModel[] = [];
    const known = new Map<string, Known>();
    let checked = 0;
    for (const [index, value] of shell.models.entries()) {
      const before = this.#models.get((value as { name?: string } | null)?.name ?? '');
      const isSame = before !== undefined && isEqual(before.raw, value);
      if (!isSame && ++checked % SLICE === 0) await setImmediate();
      const model = isSame ? before.model : this.#check(value, index);
      models.push(model);
      known.set(model.name, isSame ? before : { raw: value, model });
    }
    this.#models = known;
    const available = models.flatMap(({ versions }) => versions.filter(isAvailable));
    this.#manifests = new Map(available.map(({ digest, manifest }) => [digest, manifest]));
    return { ...shell, models };
  }

  #check(value: unknown, index: number): CatalogModel {
    this.#reuse(value);
    const { data, error } = this.#schema.safeParse(value);
    if (error) throw new Error(`models.${index}: ${z.prettifyError(error)}`);
    for (const { manifest } of data.versions.filter(isAvailable)) this.#checked.add(manifest);
    return data;
  }

  /** Puts manifests that are known in the place of their equals. Whatever has not the form of a catalog is left to the schema. */
  #reuse(value: unknown): void {
    const versions = (value as { versions?: ({ digest?: string; manifest?: unknown } | null)[] } | null)?.versions;
    if (!Array.isArray(versions)) return;
    for (const version of versions) {
      const known = this.#manifests.get(version?.digest ?? '');
      if (version && known && version.manifest !== undefined) version.manifest = known;
    }
  }
}

/** All but the models. */
const shellSchema = catalogSchema.extend({ models: z.array(z.unknown()) });

/** The schema of the contract, in which a manifest that was checked passes as it is. */
function modelSchemaWith(isChecked: (value: unknown) => boolean) {
  const model = catalogSchema.shape.models.element;
  const [available, unavailable] = model.shape.versions.element.options;
  const manifest = z.union([z.custom<Manifest>(isChecked), manifestSchema]);
  const version = z.discriminatedUnion('state', [available.extend({ manifest }), unavailable]);
  return model.extend({ versions: z.array(version) });
}

/** Whether two values of JSON say the same, in the same order. Of objects with one digest the manifests are not compared. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Number.isNaN(a) && Number.isNaN(b);
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(one);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => {
    if (!Object.hasOwn(other, key)) return false;
    if (key === 'manifest' && typeof one['digest'] === 'string' && one['digest'] === other['digest']) return true;
    return isEqual(one[key], other[key]);
  });
}
