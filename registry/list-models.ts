import pLimit from 'p-limit';
import { hasCode, messageOf } from '../contract/errors.ts';
import { manifestKey } from '../contract/layout.ts';
import { digestOf } from '../contract/manifest.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import { type ScannedModel, type ScannedVersion, scanBucket, scanKnownModel } from './bucket-scan.ts';
import { readDocument } from './documents.ts';
import { readIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';
import { readClaim } from './publish-claim.ts';
import { readRollout } from './rollout-file.ts';

export interface ListedVersion {
  version: number;
  kind: ScannedVersion['kind'];
  retired: boolean;
  pinned: boolean;
  /** Its signature is the contract of the model because the rollout says so. */
  contract: boolean;
  /** Of a published version: the one that the index vouches for, else that of the manifest that lies there. */
  digest?: string;
  /** Published, but no loader has been told yet: its publisher was killed, or is just at it. */
  notInIndex: boolean;
  files: number;
  bytes: number;
  /** When its newest object was stored, ISO 8601. */
  modifiedAt: string;
  /** Of an incomplete one. */
  publisher?: string;
}

export interface ListedModel {
  model: string;
  retired: boolean;
  /** Newest first. */
  versions: ListedVersion[];
  /** What is wrong with its rollout. */
  problems: string[];
}

/** Models looked at at once. */
const CONCURRENCY = 8;

/**
 * Everything in the bucket, as it lies there: whether a version may serve is for the loader to say (`inspect` tells).
 * @param model only this one
 * @throws KedgeError `model-unknown`
 */
export async function listModels(store: ObjectStore, model?: string, signal?: AbortSignal): Promise<ListedModel[]> {
  const scanned = model
    ? [await scanKnownModel(store, model, signal)]
    : [...(await scanBucket(store, signal)).values()];
  const index = await readIndex(store, signal);
  const limit = pLimit(CONCURRENCY);
  const entries = new Map((index?.models ?? []).map((entry) => [entry.name, entry]));
  return limit.map(scanned, (found) => {
    const { versions = [] } = entries.get(found.model) ?? {};
    return listModel(store, found, new Map(versions.map(({ version, digest }) => [version, digest])), signal);
  });
}

async function listModel(
  store: ObjectStore,
  scanned: ScannedModel,
  digests: ReadonlyMap<number, string>,
  signal?: AbortSignal,
): Promise<ListedModel> {
  const { model } = scanned;
  const problems: string[] = [];
  let rollout: Rollout | undefined;
  try {
    rollout = scanned.rollout && (await readRollout(store, model, signal));
  } catch (error) {
    if (!hasCode(error, 'document-invalid')) throw error;
    problems.push(messageOf(error));
  }
  const versions: ListedVersion[] = [];
  for (const found of [...scanned.versions.values()].reverse())
    versions.push(await listVersion(store, model, found, { rollout, vouched: digests.get(found.version), signal }));
  return { model, retired: rollout?.retired === true, versions, problems };
}

async function listVersion(
  store: ObjectStore,
  model: string,
  { version, kind, claim, manifest, files }: ScannedVersion,
  context: { rollout: Rollout | undefined; vouched: string | undefined; signal: AbortSignal | undefined },
): Promise<ListedVersion> {
  const { rollout, vouched, signal } = context;
  const objects = [...files.values(), ...(claim ? [claim] : []), ...(manifest ? [manifest] : [])];
  const unvouched = manifest && !vouched ? await readDocument(store, manifestKey(model, version), signal) : undefined;
  const publisher = kind === 'incomplete' ? await readClaim(store, model, version, signal) : undefined;
  const digest = vouched ?? (unvouched && digestOf(unvouched.bytes));
  return {
    version,
    kind,
    retired: isRetired(rollout, version),
    pinned: rollout?.pin === version,
    contract: rollout?.contract === version,
    ...(digest && kind === 'published' && { digest }),
    notInIndex: kind === 'published' && vouched === undefined,
    files: files.size,
    bytes: [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    modifiedAt: isoTime(Math.max(...objects.map(({ modifiedAt }) => modifiedAt))),
    ...(publisher && { publisher: publisher.claim.publisher }),
  };
}
