import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { type Catalog, type CatalogModel, catalogSchema, isAvailable } from '../contract/catalog.ts';
import { parseJson } from '../contract/json.ts';
import { type Manifest, manifestSchema } from '../contract/manifest.ts';
import { endOfObject, headOf, isAt, nameAt } from './catalog-text.ts';

/** Models that are checked before the loop has its turn: each takes tens of microseconds. */
const SLICE = 50;

const OPEN = 0x7b;
const COMMA = 0x2c;

interface Known {
  /** As it stood in the catalog. */
  bytes: Buffer;
  model: CatalogModel;
}

/**
 * Reads catalogs one after another. A model whose bytes are the same as in the catalog before is neither parsed nor checked again: it is the
 * very same object, so that a catalog of a thousand models in which one changed does not hold up the loop that serves, and whoever takes it
 * sees by identity what changed. Manifests make up most of a model, and one of a known digest is known.
 */
export class CatalogParser {
  #models = new Map<string, Known>();
  #manifests = new Map<string, Manifest>();
  readonly #checked = new WeakSet<Manifest>();
  readonly #schema = modelSchemaWith((value) => this.#checked.has(value as Manifest));

  /** One at a time. @throws Error whose message says what is wrong */
  async parse(text: Buffer): Promise<Catalog> {
    const head = headOf(text);
    const known = head === undefined ? undefined : await this.#readPieces(text, head.length);
    if (head === undefined || !known) return this.#parseWhole(text);
    const shell = shellSchema.parse(parseJson(`${head}]}`));
    this.#models = known;
    return this.#noted({ ...shell, models: [...known.values()].map(({ model }) => model) });
  }

  /** Model by model, as the loader writes them. @returns undefined where the text is written otherwise */
  async #readPieces(text: Buffer, start: number): Promise<Map<string, Known> | undefined> {
    const known = new Map<string, Known>();
    let at = start;
    let read = 0;
    while (text[at] === OPEN) {
      const before = this.#models.get(nameAt(text, at) ?? '');
      const isSame = before !== undefined && isAt(text, before.bytes, at);
      const end = isSame ? at + before.bytes.length : endOfObject(text, at);
      if (end === undefined) return undefined;
      if (!isSame && ++read % SLICE === 0) await setImmediate();
      const piece = isSame ? before : this.#readPiece(text.subarray(at, end), known.size);
      if (known.has(piece.model.name)) return undefined;
      known.set(piece.model.name, piece);
      at = end;
      if (text[at] !== COMMA) break;
      at += 1;
      if (text[at] !== OPEN) return undefined;
    }
    return text.toString('latin1', at).trim() === ']}' ? known : undefined;
  }

  #readPiece(slice: Buffer, index: number): Known {
    // A slice would keep the whole catalog that it was cut from.
    const bytes = Buffer.from(slice);
    return { bytes, model: this.#check(parseJson(bytes.toString()), index) };
  }

  /** A catalog that somebody else wrote, or that is none. */
  #parseWhole(text: Buffer): Catalog {
    const shell = shellSchema.parse(parseJson(text.toString()));
    return this.#noted({ ...shell, models: shell.models.map((value, index) => this.#check(value, index)) });
  }

  #noted(catalog: Catalog): Catalog {
    const available = catalog.models.flatMap(({ versions }) => versions.filter(isAvailable));
    this.#manifests = new Map(available.map(({ digest, manifest }) => [digest, manifest]));
    return catalog;
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
