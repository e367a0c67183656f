import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Catalog,
  CatalogAvailable,
  CatalogModel,
  CatalogUnavailable,
  CatalogVersion,
  ProbeReport,
} from '../../contract/catalog.ts';
import { stringifyJson } from '../../contract/json.ts';
import { CATALOG_FILE, MANIFEST_FILE, MODEL_FILE, MODELS_DIR, versionDir } from '../../contract/layout.ts';
import { type Details, digestOf, type ManifestFile } from '../../contract/manifest.ts';
import { manifestOf, serializeManifest } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import { rowsIndependent } from '../../contract/onnx/rows.ts';
import type { Refusal } from '../../contract/refusal.ts';
import type { Rollout } from '../../contract/rollout.ts';
import { writeFileAtomic } from '../../platform/atomic.ts';
import { isoTime } from '../../platform/clock.ts';

export interface AddOptions {
  details?: Details;
  /** Other files beside model.onnx. */
  files?: Readonly<Record<string, Uint8Array>>;
  probe?: Partial<ProbeReport>;
  /** Operators that count as not proved harmless; none, so that the version runs inline. */
  unproved?: string[];
  /** What the loader found of the rows; what the graph proves if absent. */
  rows?: CatalogAvailable['rows'];
}

/** A volume as the loader would leave it: files of versions, and the catalog that is written last. */
export class TestVolume {
  readonly dir = mkdtempSync(join(tmpdir(), 'kedge-volume-'));
  readonly #models = new Map<string, CatalogModel>();
  #generation = 0;
  #looks = 0;

  /** Lays down a version; the catalog tells of it from the next {@link write} on. */
  add(model: string, version: number, bytes: Uint8Array, options: AddOptions = {}): CatalogAvailable {
    const read = readHeadOfBytes(bytes);
    if (!read.ok) throw new Error(read.refusals.map(({ message }) => message).join(' '));
    const path = versionDir(model, version);
    const all = { [MODEL_FILE]: bytes, ...options.files };
    const files = Object.entries(all).map(([name, content]) => this.#writeFile(path, name, content));
    const manifest = manifestOf({
      model,
      version,
      createdAt: isoTime(0),
      files,
      head: read.head,
      details: options.details,
    });
    const text = serializeManifest(manifest);
    this.#writeFile(path, MANIFEST_FILE, Buffer.from(text));
    const entry: CatalogAvailable = {
      ...this.#common(version),
      state: 'available',
      digest: digestOf(text),
      path,
      manifest,
      probe: { loadMs: 1, runMs: 0.1, memoryBytes: 1, rowOutputs: [], ...options.probe },
      unproved: options.unproved ?? [],
      rows: options.rows ?? rowsIndependent(read.head),
    };
    this.#put(model, entry);
    return entry;
  }

  /** Has the catalog tell that a version is not there for a reason. */
  refuse(model: string, version: number, reasons: Refusal[], state: CatalogUnavailable['state'] = 'refused'): void {
    this.#put(model, { ...this.#common(version), state, reasons, attempts: 1 });
  }

  /** As if the loader had looked at the version once more. */
  lookAgain(model: string, version: number): void {
    const entry = this.#models.get(model)!.versions.find((one) => one.version === version)!;
    this.#put(model, { ...entry, since: this.#common(version).since });
  }

  rollout(model: string, rollout: Omit<Rollout, 'schemaVersion'> | undefined): void {
    const { rollout: _, ...entry } = this.#models.get(model)!;
    this.#models.set(model, rollout ? { ...entry, rollout: { schemaVersion: 1, ...rollout } } : entry);
  }

  /** Takes a version, or a whole model, out of the catalog. */
  drop(model: string, version?: number): void {
    if (version === undefined) this.#models.delete(model);
    else this.#models.get(model)!.versions = this.#models.get(model)!.versions.filter((one) => one.version !== version);
  }

  /** The catalog as it would be written next. */
  next(): Catalog {
    this.#generation += 1;
    return {
      schemaVersion: 1,
      generation: this.#generation,
      writtenAt: isoTime(this.#generation * 1000),
      models: [...structuredClone([...this.#models.values()])],
    };
  }

  /** Replaces catalog.json, as the loader does. */
  async write(): Promise<void> {
    await this.writeText(stringifyJson(this.next()));
  }

  /** Replaces catalog.json by any text. */
  async writeText(text: string): Promise<void> {
    await writeFileAtomic(join(this.dir, CATALOG_FILE), text);
  }

  readText(): string {
    return readFileSync(join(this.dir, CATALOG_FILE), 'utf8');
  }

  /** Changes a byte of the model of a version, its size kept. */
  spoil({ path }: CatalogAvailable): void {
    const file = join(this.dir, path, MODEL_FILE);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 0xff;
    writeFileSync(file, bytes);
  }

  /** Removes the files of a version, or all files of all versions. */
  removeFiles({ path }: Pick<CatalogAvailable, 'path'> = { path: MODELS_DIR }): void {
    rmSync(join(this.dir, path), { recursive: true, force: true });
  }

  removeCatalog(): void {
    rmSync(join(this.dir, CATALOG_FILE), { force: true });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #common(version: number): Pick<CatalogAvailable, 'version' | 'since' | 'bare' | 'fingerprint'> {
    this.#looks += 1;
    return { version, since: isoTime(this.#looks * 1000), bare: false, fingerprint: `f${version}` };
  }

  #put(model: string, entry: CatalogVersion): void {
    const { versions = [], ...rest } = this.#models.get(model) ?? { name: model };
    const others = versions.filter(({ version }) => version !== entry.version);
    this.#models.set(model, { ...rest, versions: [...others, entry].sort((a, b) => b.version - a.version) });
  }

  #writeFile(path: string, name: string, content: Uint8Array): ManifestFile {
    mkdirSync(join(this.dir, path), { recursive: true });
    writeFileSync(join(this.dir, path, name), content);
    return { path: name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  }
}
