import { parseManifest } from '../contract/admission/manifest.ts';
import { type ModelContract, type Terms, termsIn } from '../contract/admission/terms.ts';
import { admit, type Facts, type PresentFile } from '../contract/admission.ts';
import { hasCode } from '../contract/errors.ts';
import { MODEL_FILE, manifestKey } from '../contract/layout.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { HeadResult } from '../contract/onnx/head.ts';
import type { Refusal } from '../contract/refusal.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { RUNTIME } from '../contract/runtime.ts';
import type { ScannedModel, ScannedVersion } from './bucket-scan.ts';
import { type Document, readDocument } from './documents.ts';
import type { ObjectStore } from './object-store.ts';
import { readRemoteHead } from './read-object.ts';

/** What the bytes of a version in the bucket tell. */
export interface VersionFacts {
  /** The manifest as it is stored. */
  document?: Document | undefined;
  manifest?: Manifest | undefined;
  head?: HeadResult | undefined;
  present: PresentFile[];
  /** Why it could never serve, whatever else is known. */
  refusals: Refusal[];
}

export interface ReadFactsOptions {
  /** What it is held against besides. */
  facts?: Facts;
  /** sha256 of a file, where each is to be checked. */
  hash?: ((key: string) => Promise<string | undefined>) | undefined;
  signal?: AbortSignal | undefined;
}

/** Reads manifest and head of a version, and judges them as a loader does before it fetches. */
export async function readFacts(
  store: ObjectStore,
  model: string,
  scanned: ScannedVersion,
  { facts, hash, signal }: ReadFactsOptions = {},
): Promise<VersionFacts> {
  const { version } = scanned;
  const document = scanned.manifest && (await readDocument(store, manifestKey(model, version), signal));
  const parsed = document && parseManifest(document.text);
  const head = await readRemoteHead(store, { model, version }, scanned.files.get(MODEL_FILE), signal);
  const present: PresentFile[] = [];
  for (const [path, { bytes, key }] of scanned.files) present.push({ path, bytes, sha256: await hash?.(key) });
  const read = { document, head, present };
  if (parsed && !parsed.ok) return { ...read, refusals: parsed.refusals };
  const manifest = parsed?.manifest;
  const refusals = admit({ model, version, manifest, head, files: present }, { runtime: RUNTIME, ...facts });
  return { ...read, manifest, refusals };
}

/**
 * What clients of the model rely on: the terms of `rollout.contract`, else of the pinned version, else of the oldest one that
 * is sound. Undefined for a model without any.
 */
export async function readContract(
  store: ObjectStore,
  { model, versions }: ScannedModel,
  rollout: Rollout | undefined,
  signal?: AbortSignal,
): Promise<ModelContract | undefined> {
  const chosen = rollout?.contract ?? rollout?.pin;
  for (const scanned of versions.values()) {
    const { version, kind } = scanned;
    if (kind === 'incomplete' || isRetired(rollout, version) || (chosen !== undefined && chosen !== version)) continue;
    const terms = await termsIfSound(store, model, scanned, signal);
    if (terms) return { version, ...terms };
  }
  return undefined;
}

/** Undefined for a version that does not pass the checks on bytes. */
export async function termsIfSound(
  store: ObjectStore,
  model: string,
  scanned: ScannedVersion,
  signal?: AbortSignal,
): Promise<Terms | undefined> {
  try {
    const read = await readFacts(store, model, scanned, { signal });
    return read.head?.ok && read.refusals.length === 0 ? termsIn(read) : undefined;
  } catch (error) {
    // A bare file that is just being written.
    if (hasCode(error, 'object-changed') || hasCode(error, 'object-missing')) return undefined;
    throw error;
  }
}
