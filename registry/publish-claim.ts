import { CLAIM_SCHEMA_VERSION, type Claim, claimSchema } from '../contract/claim.ts';
import { hasCode, KedgeError } from '../contract/errors.ts';
import { claimKey } from '../contract/layout.ts';
import type { Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import type { ScannedModel } from './bucket-scan.ts';
import { readDocument, toText, type WriteOptions } from './documents.ts';
import { readIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';

/** A number that is ours. */
export interface Claimed {
  version: number;
  claim: Claim;
  etag: string;
}

/** Racers for a number; each loses it to a publisher that goes on, so many in a row mean that something is wrong. */
const CLAIM_ATTEMPTS = 1000;
/** How far back a publisher looks for what it left unfinished. */
const LOOK_BACK = 50;

/** The highest number that is taken in any way: by files, by a claim, in the rollout, or by files that were removed. */
export async function highestTaken(
  store: ObjectStore,
  { model, versions }: ScannedModel,
  rollout: Rollout | undefined,
  signal?: AbortSignal,
): Promise<number> {
  const entry = (await readIndex(store, signal).catch(ignoreInvalid))?.models.find(({ name }) => name === model);
  return Math.max(
    0,
    ...versions.keys(),
    ...(entry?.versions ?? []).map(({ version }) => version),
    entry?.removed ?? 0,
    rollout?.pin ?? 0,
    rollout?.contract ?? 0,
    ...(Array.isArray(rollout?.retired) ? rollout.retired : []),
  );
}

/** A damaged index is mended at the end of the publish; it is no reason to end here. */
function ignoreInvalid(error: unknown): undefined {
  if (!hasCode(error, 'document-invalid')) throw error;
  return undefined;
}

/** Takes the first free number from `from` on, create-only: of two publishers at once, the loser takes the next. */
export async function claimNext(
  store: ObjectStore,
  model: string,
  from: number,
  publisher: string,
  { clock, signal }: WriteOptions,
): Promise<Claimed> {
  for (let version = from; version < from + CLAIM_ATTEMPTS; version++) {
    const claim: Claim = { schemaVersion: CLAIM_SCHEMA_VERSION, publisher, createdAt: isoTime(clock.now()) };
    try {
      const body = Buffer.from(toText(claim));
      const { etag } = await store.put(claimKey(model, version), body, { create: true }, signal ? { signal } : {});
      return { version, claim, etag };
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
    }
  }
  throw new KedgeError('conflict', `${store.url}: others took every number of ${model}. Try again.`);
}

/** The newest version that this publisher claimed, complete or not. */
export async function newestClaimOf(
  store: ObjectStore,
  { model, versions }: ScannedModel,
  publisher: string,
  signal?: AbortSignal,
): Promise<Claimed | undefined> {
  const claimed = [...versions.values()].filter(({ claim }) => claim).reverse();
  for (const { version } of claimed.slice(0, LOOK_BACK)) {
    const found = await readClaim(store, model, version, signal);
    if (found?.claim.publisher === publisher) return found.claim.abandonedAt ? undefined : found;
  }
  return undefined;
}

/** Undefined where there is none, or one that cannot be read. */
export async function readClaim(
  store: ObjectStore,
  model: string,
  version: number,
  signal?: AbortSignal,
): Promise<Claimed | undefined> {
  const document = await readDocument(store, claimKey(model, version), signal);
  if (!document) return undefined;
  try {
    const parsed = claimSchema.safeParse(JSON.parse(document.text));
    return parsed.success ? { version, claim: parsed.data, etag: document.info.etag } : undefined;
  } catch {
    return undefined;
  }
}
