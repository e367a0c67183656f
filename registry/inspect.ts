import { createHash } from 'node:crypto';
import { parseManifest } from '../contract/admission/manifest.ts';
import { admit, type PresentFile } from '../contract/admission.ts';
import type { Claim } from '../contract/claim.ts';
import { fileKey, manifestKey } from '../contract/layout.ts';
import { digestOf, type Manifest } from '../contract/manifest.ts';
import { checkModelName } from '../contract/names.ts';
import type { OnnxHead } from '../contract/onnx/graph.ts';
import type { Refusal } from '../contract/refusal.ts';
import { RUNTIME } from '../contract/runtime.ts';
import { type ScannedVersion, scanKnownModel, versionOf } from './bucket-scan.ts';
import { readDocument } from './documents.ts';
import { type ListedVersion, listModels } from './list-models.ts';
import type { ObjectStore } from './object-store.ts';
import { readClaim } from './publish-claim.ts';
import { readRollout } from './rollout-file.ts';
import { readContract, readVersionHead } from './version-head.ts';

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
  const document = found.manifest && (await readDocument(store, manifestKey(model, version), signal));
  const parsed = document && parseManifest(document.text);
  const manifest = parsed?.ok ? parsed.manifest : undefined;
  const head = await readVersionHead(store, model, found, signal);
  const present = await presentFiles(store, model, found, verify, signal);

  const refusals: Refusal[] = [];
  const digest = document && digestOf(document.bytes);
  if (digest && digest !== listed.digest) refusals.push(manifestChanged(model, version, listed.digest!, digest));
  if (parsed && !parsed.ok) refusals.push(...parsed.refusals);
  if (found.kind !== 'incomplete') {
    const rollout = scanned.rollout && (await readRollout(store, model, signal));
    const contract = await readContract(store, scanned, rollout, signal);
    const facts = { runtime: RUNTIME, contract, pinned: rollout?.pin === version };
    refusals.push(...admit({ model, version, manifest, head, files: present }, facts));
  }
  return {
    ...listed,
    ...(digest && { digest }),
    model,
    ...(claim && { claim: claim.claim }),
    ...(manifest && { manifest }),
    ...(head?.ok && { head: head.head }),
    present,
    refusals,
  };
}

function manifestChanged(model: string, version: number, expected: string, found: string): Refusal {
  const message = `The manifest of ${model}/${version} is not the one that the index vouches for. Publish a new version.`;
  return { code: 'manifest-changed', message, expected, found };
}

async function presentFiles(
  store: ObjectStore,
  model: string,
  { version, files }: ScannedVersion,
  verify: boolean,
  signal?: AbortSignal,
): Promise<PresentFile[]> {
  const present: PresentFile[] = [];
  for (const [path, { bytes }] of files) {
    const sha256 = verify ? await sha256Of(store, fileKey(model, version, path), signal) : undefined;
    present.push({ path, bytes, ...(sha256 && { sha256 }) });
  }
  return present;
}

async function sha256Of(store: ObjectStore, key: string, signal?: AbortSignal): Promise<string | undefined> {
  const got = await store.get(key, signal ? { signal } : {});
  if (got.status !== 'ok') return undefined;
  const hash = createHash('sha256');
  for await (const chunk of got.body) hash.update(chunk);
  return hash.digest('hex');
}
