import { KedgeError } from '../contract/errors.ts';
import { claimKey, manifestKey } from '../contract/layout.ts';
import { type Details, digestOf, type ManifestFile } from '../contract/manifest.ts';
import { checkModelName } from '../contract/names.ts';
import { isRetired } from '../contract/rollout.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { type ScannedModel, scanModel } from './bucket-scan.ts';
import { defaultPublisher } from './config.ts';
import { readDocument } from './documents.ts';
import { updateIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';
import { checkDetails, checkSource } from './publish-check.ts';
import { type Claimed, claimNext, highestTaken, newestClaimOf } from './publish-claim.ts';
import { type Done, finish, manifestText, type PublishStep, type Work } from './publish-files.ts';
import { readRollout } from './rollout-file.ts';
import { hashFiles, readSource } from './source.ts';
import { readContract } from './version-facts.ts';

interface PublishProgress {
  phase: 'hash' | 'upload';
  bytes: number;
  totalBytes: number;
}

export interface PublishOptions {
  store: ObjectStore;
  /** A model file, or a folder that holds model.onnx. */
  source: string;
  model: string;
  /** What the file itself cannot tell: samples, code, requirements, training. */
  details?: Details | undefined;
  /** With the same name a later run resumes what an earlier one left unfinished. Default: a new name for each run. */
  publisher?: string | undefined;
  /** Publish though inputs or outputs changed against the contract of the model; it then serves only once it is pinned. */
  allowBreaking?: boolean | undefined;
  clock?: Clock;
  /** In [0, 1), for jitter and the default name. */
  random?: () => number;
  signal?: AbortSignal | undefined;
  onProgress?: (progress: PublishProgress) => void;
  onStep?: (step: PublishStep) => void | Promise<void>;
}

export interface Published {
  model: string;
  version: number;
  digest: string;
  /** An earlier run of the same publisher had begun or even finished it. */
  resumed: boolean;
  files: ManifestFile[];
  bytes: number;
  /** What the publisher should know. */
  notes: string[];
}

/**
 * Publishes a model as the next version: claim (create-only; the loser of a race takes the next number), files, manifest
 * (create-only, last), index (compare-and-swap). Killed at any point, the bucket is in the old state or the new one: a claim
 * without a manifest is incomplete and never served. The claim names the publisher and gives the manifest its time, so
 * that the same publisher resumes to the same bytes.
 * @throws KedgeError `source-invalid` for what could never serve, before anything is written; `conflict` for a retired model
 */
export async function publish(options: PublishOptions): Promise<Published> {
  const { store, clock = systemClock, random = Math.random, signal } = options;
  const model = checkModelName(options.model);
  const publisher = options.publisher ?? defaultPublisher(random);
  const step = async (name: PublishStep): Promise<void> => {
    signal?.throwIfAborted();
    await options.onStep?.(name);
  };

  await step('check');
  const details = checkDetails(options.details);
  const source = await readSource(options.source);
  const scanned = await scanModel(store, model, signal);
  const rollout = scanned.rollout && (await readRollout(store, model, signal));
  if (rollout?.retired === true)
    throw new KedgeError('conflict', `${model} is retired. Take it back with: kedge retire ${model} --undo`);
  const next = 1 + (await highestTaken(store, scanned, rollout, signal));
  const contract = await readContract(store, scanned, rollout, signal);
  const check = { model, version: next, details, contract, allowBreaking: options.allowBreaking ?? false };
  const { head, notes } = checkSource(source, check);

  const totalBytes = source.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const tell = (phase: PublishProgress['phase']) => (bytes: number) =>
    options.onProgress?.({ phase, bytes, totalBytes });
  const files = await hashFiles(source.files, { signal, onProgress: tell('hash') });
  const write = { clock, random, signal };
  const work: Work = {
    ...write,
    store,
    model,
    head,
    details,
    sources: source.files,
    files,
    step,
    onBytes: tell('upload'),
  };

  // Looked at again, because hashing may have taken long.
  const now = await scanModel(store, model, signal);
  const own = options.publisher ? await newestClaimOf(store, now, publisher, signal) : undefined;
  const resumed = own && !isRetired(rollout, own.version) ? await resume(work, own, now) : undefined;
  const done = resumed ?? (await publishNew(work, await highestTaken(store, now, rollout, signal), publisher));
  await step('index');
  await updateIndex(store, model, write);
  await step('done');
  return { model, ...done, resumed: resumed !== undefined, files, bytes: totalBytes, notes };
}

/** Numbers that hand-made drops may take from under a publish before it gives up. */
const NUMBER_ATTEMPTS = 5;

/** Claims the next number and stores the version under it. */
async function publishNew(work: Work, highest: number, publisher: string): Promise<Done> {
  const { store, model, signal } = work;
  let from = highest + 1;
  for (let attempt = 0; attempt < NUMBER_ATTEMPTS; attempt++) {
    await work.step('claim');
    const claimed = await claimNext(store, model, from, publisher, work);
    const stored = await finish(work, claimed, new Map());
    if (typeof stored === 'object') return stored;
    // Somebody copied files in by hand under the number that we had just claimed: it is theirs, as if we had never claimed it.
    if (stored === 'taken')
      await store.delete(claimKey(model, claimed.version), { ifMatch: claimed.etag, ...(signal && { signal }) });
    from = claimed.version + 1;
  }
  throw new KedgeError('conflict', `others kept writing into the versions of ${model}. Publish again.`);
}

/** Goes on with what an earlier run of the same publisher began, if all that it stored is what this run would store. */
async function resume(work: Work, own: Claimed, scanned: ScannedModel): Promise<Done | undefined> {
  const { files, manifest } = scanned.versions.get(own.version)!;
  const wanted = new Map(work.files.map((file) => [file.path, file]));
  for (const [path, { bytes }] of files) if (wanted.get(path)?.bytes !== bytes) return undefined;
  if (manifest) {
    const text = manifestText(work, own);
    const document = await readDocument(work.store, manifestKey(work.model, own.version), work.signal);
    const complete = files.size === wanted.size && document?.bytes.equals(text);
    return complete ? { version: own.version, digest: digestOf(text) } : undefined;
  }
  const stored = await finish(work, own, files);
  return typeof stored === 'object' ? stored : undefined;
}
