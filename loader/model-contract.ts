import { type ParsedManifest, parseManifest } from '../contract/admission/manifest.ts';
import { type ModelContract, type Terms, termsIn, termsOf } from '../contract/admission/terms.ts';
import { admit, type PresentFile } from '../contract/admission.ts';
import { type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { hasCode, KedgeError } from '../contract/errors.ts';
import { MANIFEST_FILE, MODEL_FILE, manifestKey } from '../contract/layout.ts';
import { digestOf, type Manifest } from '../contract/manifest.ts';
import type { HeadResult } from '../contract/onnx/head.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { RUNTIME } from '../contract/runtime.ts';
import type { Log } from '../platform/log.ts';
import { readListed, readRemoteHead } from '../registry/read-object.ts';
import type { BucketReader } from './bucket-reader.ts';
import type { VersionView } from './bucket-view.ts';

export interface ContractSight {
  model: string;
  /** What the bucket shows of the model. */
  versions: readonly VersionView[];
  entries: readonly CatalogVersion[];
  rollout: Rollout | undefined;
}

/**
 * What clients of a model rely on: the terms of the version that the rollout names as contract, else of the pinned
 * one, else of the oldest version in the bucket that passes every check on its bytes. What a version says is remembered by
 * its fingerprint, so that the oldest one is read once. One that may not be read is passed over and told once, so that it does
 * not keep every newer one from being served; a bucket that does not answer is no reason for another contract.
 */
export class ModelContracts {
  readonly #reader: BucketReader;
  /** By model and version; null for one that sets no contract. */
  readonly #known = new Map<string, { fingerprint: string; terms: Terms | null }>();
  readonly #log: Log;
  /** Fingerprints of what could not be read, by model and version, so that each is told once. */
  readonly #told = new Map<string, string>();

  constructor(reader: BucketReader, log: Log) {
    this.#reader = reader;
    this.#log = log;
  }

  /** @throws KedgeError `bucket-unreachable`; or what `signal` was aborted with */
  async find(sight: ContractSight, signal?: AbortSignal): Promise<ModelContract | undefined> {
    const { rollout, entries } = sight;
    const chosen = rollout?.contract ?? rollout?.pin;
    const served = entries.find(({ version }) => version === chosen);
    if (served && isAvailable(served)) return { version: served.version, ...termsOf(served.manifest) };
    const candidates = sight.versions
      .filter(({ version, kind, rests }) => rests && kind !== 'incomplete' && !isRetired(rollout, version))
      .filter(({ version }) => chosen === undefined || version === chosen)
      .sort((a, b) => a.version - b.version);
    let unreadable: KedgeError | undefined;
    for (const view of candidates) {
      try {
        const terms = await this.#terms(sight, view, signal);
        if (terms) return { version: view.version, ...terms };
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        unreadable ??= error;
        this.#tell(sight.model, view, error);
      }
    }
    // Where all that is left cannot be read, it is not known that there is no contract.
    if (unreadable) throw unreadable;
    return undefined;
  }

  #tell(model: string, { version, fingerprint }: VersionView, error: KedgeError): void {
    const key = `${model}/${version}`;
    if (this.#told.get(key) === fingerprint) return;
    this.#told.set(key, fingerprint);
    const sentence = `${key} cannot be read, so a newer version may set the contract of the model: ${error.message}`;
    this.#log.warn({ model, version, code: error.code }, sentence);
  }

  async #terms(
    { model, entries }: ContractSight,
    view: VersionView,
    signal: AbortSignal | undefined,
  ): Promise<Terms | null> {
    const entry = entries.find(({ version }) => version === view.version);
    if (entry && isAvailable(entry)) return termsOf(entry.manifest);
    const key = `${model}/${view.version}`;
    const known = this.#known.get(key);
    if (known?.fingerprint === view.fingerprint) return known.terms;
    try {
      const terms = await this.#read(model, view, signal);
      this.#known.set(key, { fingerprint: view.fingerprint, terms });
      return terms;
    } catch (error) {
      // It changed or went since the listing; the next one may stand for it until the bucket is listed again.
      if (hasCode(error, 'object-missing') || hasCode(error, 'object-changed')) return null;
      throw error;
    }
  }

  async #read(model: string, view: VersionView, signal: AbortSignal | undefined): Promise<Terms | null> {
    const { version, kind } = view;
    if (kind === 'bare' && view.files.length !== 1) return null;
    const stored = kind === 'published' ? await readManifest(this.#reader, model, view, signal) : undefined;
    if (stored && (!stored.parsed.ok || (view.vouched ?? stored.digest) !== stored.digest)) return null;
    const head = await readHeadOf(this.#reader, model, view, signal);
    if (!head?.ok) return null;
    const manifest = manifestIn(stored);
    const refusals = admit({ model, version, manifest, head, files: presentFiles(view) }, { runtime: RUNTIME });
    if (refusals.length > 0) return null;
    return termsIn({ manifest, head }) ?? null;
  }
}

/** Refused for this one object, by its rights or its size, while the bucket answers; a later try would say the same. */
function isUnreadable(error: unknown): error is KedgeError {
  if (hasCode(error, 'document-invalid')) return true;
  if (!(error instanceof KedgeError) || error.code !== 'bucket-unreachable') return false;
  const { status, reason } = error.details;
  return status === 401 || status === 403 || reason === 'EACCES' || reason === 'EPERM';
}

export interface StoredManifest {
  bytes: Uint8Array;
  digest: string;
  parsed: ParsedManifest;
}

/** The manifest, where there is one that has its form. */
export function manifestIn(stored: StoredManifest | undefined): Manifest | undefined {
  return stored?.parsed.ok ? stored.parsed.manifest : undefined;
}

/** The manifest of a published version, as it was when it was listed. */
export async function readManifest(
  reader: BucketReader,
  model: string,
  { version, files }: VersionView,
  signal: AbortSignal | undefined,
): Promise<StoredManifest> {
  const { etag } = files.find(({ path }) => path === MANIFEST_FILE)!;
  const bytes = await readListed(reader.store, manifestKey(model, version), etag, { signal });
  return { bytes, digest: digestOf(bytes), parsed: parseManifest(new TextDecoder().decode(bytes)) };
}

/** What lies in the bucket, in the terms of admission. */
export function presentFiles(view: VersionView): PresentFile[] {
  return view.files.filter(({ path }) => path !== MANIFEST_FILE).map(({ path, bytes }) => ({ path, bytes }));
}

/** The head of model.onnx by ranged gets; undefined where there is no such file. */
export function readHeadOf(
  { store }: BucketReader,
  model: string,
  { version, files }: VersionView,
  signal: AbortSignal | undefined,
): Promise<HeadResult | undefined> {
  const file = files.find(({ path }) => path === MODEL_FILE);
  return readRemoteHead(store, { model, version }, file, signal);
}
