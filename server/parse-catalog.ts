import { z } from 'zod';
import { type Catalog, catalogSchema, isAvailable } from '../contract/catalog.ts';
import { parseJson } from '../contract/json.ts';
import { type Manifest, manifestSchema } from '../contract/manifest.ts';

/**
 * Reads catalogs one after another. Manifests make up most of a catalog, and one of a known digest is known: it is not checked
 * again, so that a catalog of a thousand models in which one changed does not hold up the loop that serves.
 */
export class CatalogParser {
  #manifests = new Map<string, Manifest>();
  readonly #schema = schemaWith((value) => this.#checked.has(value as Manifest));
  readonly #checked = new WeakSet<Manifest>();

  /** @throws Error whose message says what is wrong */
  parse(text: string): Catalog {
    const raw = parseJson(text);
    this.#reuse(raw);
    const catalog: Catalog = this.#schema.parse(raw);
    const available = catalog.models.flatMap(({ versions }) => versions.filter(isAvailable));
    this.#manifests = new Map(available.map(({ digest, manifest }) => [digest, manifest]));
    for (const { manifest } of available) this.#checked.add(manifest);
    return catalog;
  }

  /** Puts manifests that are known in the place of their equals. Whatever has not the form of a catalog is left to the schema. */
  #reuse(raw: unknown): void {
    const models = (raw as { models?: { versions?: { digest?: string; manifest?: unknown }[] }[] } | null)?.models;
    if (!Array.isArray(models)) return;
    for (const model of models) {
      if (!Array.isArray(model?.versions)) continue;
      for (const version of model.versions) {
        const known = this.#manifests.get(version?.digest ?? '');
        if (known && version.manifest !== undefined) version.manifest = known;
      }
    }
  }
}

/** The schema of the contract, in which a manifest that was checked passes as it is. */
function schemaWith(isChecked: (value: unknown) => boolean) {
  const model = catalogSchema.shape.models.element;
  const [available, unavailable] = model.shape.versions.element.options;
  const manifest = z.union([z.custom<Manifest>(isChecked), manifestSchema]);
  const version = z.discriminatedUnion('state', [available.extend({ manifest }), unavailable]);
  return catalogSchema.extend({ models: z.array(model.extend({ versions: z.array(version) })) });
}
