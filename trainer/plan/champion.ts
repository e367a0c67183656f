import pLimit from 'p-limit';
import { parseManifest } from '../../contract/admission/manifest.ts';
import { admit, type ServerCode } from '../../contract/admission.ts';
import type { BucketIndex } from '../../contract/bucket-index.ts';
import { manifestKey } from '../../contract/layout.ts';
import { digestOf, type Manifest } from '../../contract/manifest.ts';
import { isRetired, type Rollout } from '../../contract/rollout.ts';
import { readDocument } from '../../registry/documents.ts';
import { readIndex } from '../../registry/index-file.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { readRollout } from '../../registry/rollout-file.ts';
import type { ModelFacts } from './plan.ts';

export interface Champion {
  version: number;
  digest: string;
  manifest: Manifest;
}

export interface BucketModel {
  versions: number;
  retired: boolean;
  champion?: Champion | undefined;
}

/** Models looked at at once. */
const CONCURRENCY = 16;

/**
 * What is in the bucket of these models for the code that runs here: by the index, one manifest for each model on most days. A file
 * that somebody copied in by hand is not in the index: whoever trains does not hold against it, nor counts on it.
 */
export async function readModels(
  store: ObjectStore,
  models: readonly string[],
  code: ServerCode,
  signal?: AbortSignal,
): Promise<Map<string, BucketModel>> {
  const index = await readIndex(store, signal);
  const entries = new Map((index?.models ?? []).map((entry) => [entry.name, entry]));
  const limit = pLimit(CONCURRENCY);
  const found = await limit.map(models, async (model): Promise<[string, BucketModel][]> => {
    const entry = entries.get(model);
    return entry ? [[model, await readModel(store, entry, code, signal)]] : [];
  });
  return new Map(found.flat());
}

async function readModel(
  store: ObjectStore,
  entry: BucketIndex['models'][number],
  code: ServerCode,
  signal?: AbortSignal,
): Promise<BucketModel> {
  const rollout = entry.rollout === undefined ? undefined : await readRollout(store, entry.name, signal);
  const left = entry.versions.filter(({ version }) => !isRetired(rollout, version));
  const facts = { versions: left.length, retired: rollout?.retired === true };
  for (const { version, digest } of inOrder(left, rollout)) {
    const manifest = await readManifest(store, entry.name, version, digest, signal);
    if (manifest && admit({ model: entry.name, version, manifest }, { code }).length === 0) {
      return { ...facts, champion: { version, digest, manifest } };
    }
  }
  return facts;
}

/** The pinned one first, then the newest. */
function inOrder<T extends { version: number }>(versions: readonly T[], rollout: Rollout | undefined): T[] {
  const rank = ({ version }: T): number => (version === rollout?.pin ? Number.POSITIVE_INFINITY : version);
  return [...versions].sort((a, b) => (rank(b) > rank(a) ? 1 : -1));
}

/** Undefined where it is not the one that the index vouches for: no loader takes that either. */
async function readManifest(
  store: ObjectStore,
  model: string,
  version: number,
  digest: string,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  const document = await readDocument(store, manifestKey(model, version), signal);
  if (!document || digestOf(document.bytes) !== digest) return undefined;
  const parsed = parseManifest(document.text);
  return parsed.ok ? parsed.manifest : undefined;
}

export function factsOf({ versions, retired, champion }: BucketModel): ModelFacts {
  return {
    versions,
    retired,
    ...(champion && { champion: { version: champion.version, createdAt: champion.manifest.createdAt } }),
  };
}
