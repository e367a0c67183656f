import { hasCode } from '../contract/errors.ts';
import { claimKey, manifestKey } from '../contract/layout.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import { type ScannedModel, type ScannedVersion, scanBucket } from './bucket-scan.ts';
import { readDocument, toText, type WriteOptions } from './documents.ts';
import { updateIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';
import { readRollout } from './rollout-file.ts';

export interface GcOptions extends WriteOptions {
  /** Incomplete versions of which nothing was stored for so long are removed: their publisher is not coming back. */
  graceMs?: number;
  /** Also remove the files of retired versions. They cannot be brought back then. */
  retired?: boolean;
  /** Only tell what would go. */
  dryRun?: boolean;
}

export interface Removal {
  model: string;
  version: number;
  reason: 'incomplete' | 'retired';
  objects: number;
  bytes: number;
}

export const DEFAULT_GRACE_MS = 24 * 3600_000;

/**
 * Removes what can never serve again: incomplete versions that nobody goes on with and, if asked, the files of retired ones.
 *
 * A number is never given again with other bytes, though its claim goes: before anything of a version is deleted, the index takes
 * the version out and notes its number as removed, and `publish` begins above every removed number.
 *
 * A publisher that slept longer than the grace may wake at any moment. So the claim is swapped first for one that says
 * abandoned, and the version is looked at once more: if its manifest has come, it stays; if not, the publisher finds its claim
 * changed, before its manifest or right after, and says that it failed.
 *
 * The manifest goes first and the claim last, so that a gc killed in between leaves an incomplete version, which the next one
 * removes. A bare version has no claim; what is left of it is a bare version still.
 */
export async function gc(store: ObjectStore, options: GcOptions): Promise<Removal[]> {
  const { signal } = options;
  const removals: Removal[] = [];
  for (const scanned of (await scanBucket(store, signal)).values()) {
    const planned = planRemovals(scanned, await rolloutOf(store, scanned, signal), options);
    removals.push(...planned);
    if (options.dryRun || planned.length === 0) continue;
    const remove = planned.map(({ version }) => version);
    await updateIndex(store, scanned.model, options, { remove });
    for (const { version, reason } of planned) {
      const found = scanned.versions.get(version)!;
      if (reason === 'incomplete' && !(await abandon(store, scanned.model, found, options))) continue;
      for (const { key } of objectsOf(found)) await store.delete(key, signal ? { signal } : {});
    }
  }
  return removals;
}

/** Whether the version is given up for good; false where somebody goes on with it after all. */
async function abandon(
  store: ObjectStore,
  model: string,
  { version, claim }: ScannedVersion,
  { clock, signal }: GcOptions,
): Promise<boolean> {
  const key = claimKey(model, version);
  const before = await readDocument(store, key, signal);
  if (!before || before.info.etag !== claim!.etag) return false;
  const text = toText({ ...readable(before.text), abandonedAt: isoTime(clock.now()) });
  try {
    await store.put(key, Buffer.from(text), { ifMatch: before.info.etag }, signal ? { signal } : {});
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error;
    return false;
  }
  return (await store.head(manifestKey(model, version), signal ? { signal } : {})) === undefined;
}

function readable(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** One whose rollout cannot be read has nothing retired, as far as gc is concerned. */
async function rolloutOf(store: ObjectStore, { model, rollout }: ScannedModel, signal?: AbortSignal) {
  if (!rollout) return undefined;
  try {
    return await readRollout(store, model, signal);
  } catch (error) {
    if (!hasCode(error, 'document-invalid')) throw error;
    return undefined;
  }
}

/** Pure: what of a model would go. */
function planRemovals(
  { model, versions }: ScannedModel,
  rollout: Rollout | undefined,
  { clock, graceMs = DEFAULT_GRACE_MS, retired = false }: Pick<GcOptions, 'clock' | 'graceMs' | 'retired'>,
): Removal[] {
  return [...versions.values()].flatMap((found): Removal[] => {
    const objects = objectsOf(found);
    const newest = Math.max(...objects.map(({ modifiedAt }) => modifiedAt));
    const abandoned = found.kind === 'incomplete' && clock.now() - newest >= graceMs;
    const gone = retired && isRetired(rollout, found.version) && found.kind !== 'incomplete';
    if (!abandoned && !gone) return [];
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    const reason = abandoned ? 'incomplete' : 'retired';
    return [{ model, version: found.version, reason, objects: objects.length, bytes }];
  });
}

/** In the order in which they go. */
function objectsOf({ manifest, files, claim }: ScannedVersion) {
  return [...(manifest ? [manifest] : []), ...files.values(), ...(claim ? [claim] : [])];
}
