import { hasCode } from '../../contract/errors.ts';
import { claimKey, manifestKey } from '../../contract/layout.ts';
import { type Details, digestOf } from '../../contract/manifest.ts';
import { isoTime } from '../../platform/clock.ts';
import { scanModel } from '../../registry/bucket-scan.ts';
import { readDocument, toText, type WriteOptions } from '../../registry/documents.ts';
import { updateIndex } from '../../registry/index-file.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { publish } from '../../registry/publish.ts';
import { readClaim } from '../../registry/publish-claim.ts';

/** Versions that are looked at for one of this run. */
const LOOK_BACK = 50;

/** The lease of the finish was lost: somebody else finishes. */
export class FinishLost extends Error {}
/** Another version became the champion meanwhile: what was judged is no longer what counts. */
export class ChampionChanged extends Error {}

export interface PublishedVersion {
  version: number;
  digest: string;
}

export interface PublishRequest {
  store: ObjectStore;
  write: WriteOptions;
  run: string;
  model: string;
  /** The model file. */
  source: string;
  details: Details;
  allowBreaking: boolean;
  /** Whether the finish is still ours. */
  held(): Promise<boolean>;
  /** Whether the version that was judged against is still the champion. */
  championHolds(): Promise<boolean>;
}

/** The version that this run published of a model, if it did; it is in the index then. */
export async function publishedByRun(
  store: ObjectStore,
  run: string,
  model: string,
  write: WriteOptions,
): Promise<PublishedVersion | undefined> {
  const { signal } = write;
  const { versions } = await scanModel(store, model, signal);
  const newest = [...versions.values()].filter(({ kind }) => kind === 'published').reverse();
  for (const scanned of newest.slice(0, LOOK_BACK)) {
    const claim = await readClaim(store, model, scanned.version, signal);
    if (!claim?.claim.publisher.startsWith(publisherOf(run))) continue;
    const document = await readDocument(store, manifestKey(model, scanned.version), signal);
    if (!document) continue;
    // Its publisher may have died before the index had it.
    await updateIndex(store, model, write);
    return { version: scanned.version, digest: digestOf(document.bytes) };
  }
  return undefined;
}

const publisherOf = (run: string): string => `train/${run}/`;

/**
 * Publishes a model of a run as its next version, once: who finishes has a lease, and that it is still held is asked right before a
 * number is claimed and right before the manifest, the one step that makes a version. Whoever comes after a finisher that was stopped
 * for longer than its lease takes its claims away first, so that it fails when it wakes.
 * @throws FinishLost, ChampionChanged; KedgeError of `publish`: `source-invalid`, `conflict` for what can never serve
 */
export async function publishOnce(request: PublishRequest): Promise<PublishedVersion> {
  const { store, write, run, model, source, details, allowBreaking } = request;
  // A new name for each try: a number that was claimed before another champion came would never be the newest.
  const publisher = `${publisherOf(run)}${Math.floor(write.random() * 2 ** 32).toString(16)}`;
  const stillRight = async (): Promise<void> => {
    if (!(await request.held())) throw new FinishLost();
    if (!(await request.championHolds())) throw new ChampionChanged();
  };
  await abandonEarlier(store, run, model, write);
  const earlier = await publishedByRun(store, run, model, write);
  if (earlier) return earlier;
  const { version, digest } = await publish({
    store,
    ...write,
    source,
    model,
    details,
    publisher,
    allowBreaking,
    onStep: async (step) => {
      if (step === 'claim' || step === 'manifest') await stillRight();
    },
  });
  return { version, digest };
}

/**
 * Takes the numbers away from whoever finished this run before and did not come to the manifest: swapped for one that says abandoned, a
 * claim no longer makes a version (see registry/gc.ts, which does the same).
 */
async function abandonEarlier(store: ObjectStore, run: string, model: string, write: WriteOptions): Promise<void> {
  const { clock, signal } = write;
  const { versions } = await scanModel(store, model, signal);
  for (const { version, kind } of versions.values()) {
    const found = kind === 'incomplete' ? await readClaim(store, model, version, signal) : undefined;
    if (!found?.claim.publisher.startsWith(publisherOf(run)) || found.claim.abandonedAt) continue;
    const body = Buffer.from(toText({ ...found.claim, abandonedAt: isoTime(clock.now()) }));
    try {
      await store.put(claimKey(model, version), body, { ifMatch: found.etag }, signal ? { signal } : {});
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
    }
  }
}
