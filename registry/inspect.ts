import { createHash } from 'node:crypto';
import type { PresentFile } from '../contract/admission.ts';
import type { Claim } from '../contract/claim.ts';
import { digestOf, type Manifest } from '../contract/manifest.ts';
import { checkModelName } from '../contract/names.ts';
import type { OnnxHead } from '../contract/onnx/graph.ts';
import type { Refusal } from '../contract/refusal.ts';
import { scanKnownModel, versionOf } from './bucket-scan.ts';
import { type ListedVersion, listModels } from './list-models.ts';
import type { ObjectStore } from './object-store.ts';
import { readClaim } from './publish-claim.ts';
import { readRollout } from './rollout-file.ts';
import { readContract, readFacts } from './version-facts.ts';

export interface Inspection extends ListedVersion {
  model: string;
  claim?: Claim;
  manifest?: Manifest;
  head?: OnnxHead;
  present: PresentFile[];
  /**
   * Why a loader would refuse it, as far as the bucket alone tells: what a probe shows, and what the code of a server
   * takes, is not judged here. Empty for an incomplete version, which is never looked at.
   */
  refusals: Refusal[];
}

/**
 * All about one version.
 * @param options.verify also reads every file whole and checks its sha256
 * @throws KedgeError `model-unknown`, `version-unknown`
 */
export async function inspect(
  store: ObjectStore,
  model: string,
  version: number,
  { verify = false, signal }: { verify?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Inspection> {
  const scanned = await scanKnownModel(store, checkModelName(model), signal);
  const found = versionOf(scanned, version);
  const listed = (await listModels(store, model, signal))[0]!.versions.find((entry) => entry.version === version)!;
  const claim = found.claim && (await readClaim(store, model, version, signal));
  const hash = verify ? (key: string) => sha256Of(store, key, signal) : undefined;
  const rollout = scanned.rollout && (await readRollout(store, model, signal));
  const contract = await readContract(store, scanned, rollout, signal);
  const facts = { contract, pinned: rollout?.pin === version };
  const read = await readFacts(store, model, found, { facts, hash, signal });

  const digest = read.document && digestOf(read.document.bytes);
  const changed = digest !== undefined && digest !== listed.digest;
  const refusals = found.kind === 'incomplete' ? [] : read.refusals;
  return {
    ...listed,
    ...(digest && { digest }),
    model,
    ...(claim && { claim: claim.claim }),
    ...(read.manifest && { manifest: read.manifest }),
    ...(read.head?.ok && { head: read.head.head }),
    present: read.present,
    refusals: changed ? [manifestChanged(model, version, listed.digest!, digest), ...refusals] : refusals,
  };
}

function manifestChanged(model: string, version: number, expected: string, found: string): Refusal {
  const message = `The manifest of ${model}/${version} is not the one that the index vouches for. Publish a new version.`;
  return { code: 'manifest-changed', message, expected, found };
}

async function sha256Of(store: ObjectStore, key: string, signal?: AbortSignal): Promise<string | undefined> {
  const got = await store.get(key, signal ? { signal } : {});
  if (got.status !== 'ok') return undefined;
  const hash = createHash('sha256');
  for await (const chunk of got.body) hash.update(chunk);
  return hash.digest('hex');
}
