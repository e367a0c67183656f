import { parseManifest } from '../contract/admission/manifest.ts';
import { type BucketIndex, bucketIndexSchema, INDEX_SCHEMA_VERSION } from '../contract/bucket-index.ts';
import { hasCode } from '../contract/errors.ts';
import { INDEX_KEY, manifestKey, rolloutKey } from '../contract/layout.ts';
import { digestOf } from '../contract/manifest.ts';
import { type ScannedModel, scanBucket, scanModel } from './bucket-scan.ts';
import { type Document, parseDocument, readDocument, swapDocument, toText, type WriteOptions } from './documents.ts';
import type { ObjectStore } from './object-store.ts';

type IndexModel = BucketIndex['models'][number];

/** The index; undefined where there is none. @throws KedgeError `document-invalid` */
export async function readIndex(store: ObjectStore, signal?: AbortSignal): Promise<BucketIndex | undefined> {
  const document = await readDocument(store, INDEX_KEY, signal);
  return document && parseDocument(`${store.url}/${INDEX_KEY}`, document.text, bucketIndexSchema);
}

export interface IndexChange {
  /** Versions whose files are about to go: they leave the index, and their numbers are never given again. */
  remove?: readonly number[];
}

/**
 * Brings what the index says of a model in step with the bucket, by compare-and-swap: manifests that a publisher stored and
 * could not enter (it was killed) are entered, and the digest of rollout.json is that of the one that lies there. What is
 * entered already stays as it is: the index vouches for a manifest from the first time on. An index that is lost or damaged is
 * made anew for all models.
 */
export async function updateIndex(
  store: ObjectStore,
  model: string,
  options: WriteOptions,
  { remove = [] }: IndexChange = {},
): Promise<void> {
  await swapDocument(store, INDEX_KEY, options, async (current) => {
    const index = current && usable(store, current);
    const scanned = index
      ? [await scanModel(store, model, options.signal)]
      : [...(await scanBucket(store, options.signal)).values()];
    const models = new Map((index?.models ?? []).map((entry) => [entry.name, entry]));
    for (const found of scanned) {
      const entry = await entryOf(store, found, models.get(found.model), options.signal);
      models.set(found.model, found.model === model ? without(entry, remove) : entry);
    }
    const listed = [...models.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (index && JSON.stringify(listed) === JSON.stringify(index.models)) return undefined;
    return toText({
      ...index,
      schemaVersion: INDEX_SCHEMA_VERSION,
      generation: index ? index.generation + 1 : options.clock.now(),
      models: listed,
    });
  });
}

/** An index of a newer Kedge is left alone; one that is damaged counts as none. @throws KedgeError `document-invalid` */
function usable(store: ObjectStore, { text }: Document): BucketIndex | undefined {
  try {
    return parseDocument(`${store.url}/${INDEX_KEY}`, text, bucketIndexSchema);
  } catch (error) {
    if (hasCode(error, 'document-invalid') && !ofNewerSchema(text)) return undefined;
    throw error;
  }
}

function ofNewerSchema(text: string): boolean {
  try {
    const { schemaVersion } = JSON.parse(text) as { schemaVersion?: unknown };
    return typeof schemaVersion === 'number' && schemaVersion > INDEX_SCHEMA_VERSION;
  } catch {
    return false;
  }
}

async function entryOf(
  store: ObjectStore,
  found: ScannedModel,
  before: IndexModel | undefined,
  signal: AbortSignal | undefined,
): Promise<IndexModel> {
  const { model } = found;
  const digests = new Map((before?.versions ?? []).map(({ version, digest }) => [version, digest]));
  for (const { version, manifest } of found.versions.values()) {
    if (!manifest || digests.has(version)) continue;
    const document = await readDocument(store, manifestKey(model, version), signal);
    // One that is no manifest of this version was not made by publish; the loader finds it by listing and refuses it.
    if (document && isManifestOf(document.text, model, version)) digests.set(version, digestOf(document.bytes));
  }
  const rollout = found.rollout && (await readDocument(store, rolloutKey(model), signal));
  const { rollout: _old, ...kept } = before ?? {};
  return {
    ...kept,
    name: model,
    versions: [...digests].sort(([a], [b]) => a - b).map(([version, digest]) => ({ version, digest })),
    ...(rollout && { rollout: digestOf(rollout.bytes) }),
  };
}

function isManifestOf(text: string, model: string, version: number): boolean {
  const parsed = parseManifest(text);
  return parsed.ok && parsed.manifest.model === model && parsed.manifest.version === version;
}

function without(entry: IndexModel, versions: readonly number[]): IndexModel {
  if (versions.length === 0) return entry;
  return {
    ...entry,
    versions: entry.versions.filter(({ version }) => !versions.includes(version)),
    removed: Math.max(entry.removed ?? 0, ...versions),
  };
}
