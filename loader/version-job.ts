import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { admit, type Facts } from '../contract/admission.ts';
import { KedgeError } from '../contract/errors.ts';
import { MANIFEST_FILE, MODEL_FILE, versionPrefix } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import { RUNTIME } from '../contract/runtime.ts';
import { isoTime } from '../platform/clock.ts';
import type { VersionView } from './bucket-view.ts';
import { fetchFiles } from './fetch.ts';
import { judgeListing, wantedFiles } from './judge-listing.ts';
import {
  type ContractSight,
  manifestIn,
  presentFiles,
  readManifest,
  readRemoteHead,
  type StoredManifest,
} from './model-contract.ts';
import { type Judged, judge, type Unjudged } from './prepare.ts';
import { type Passed, probeIt } from './probe-job.ts';
import type { Services } from './services.ts';
import { onVolume } from './volume-error.ts';

export type Outcome = ({ ok: true } & Passed) | { ok: false; reasons: Refusal[]; digest?: string | undefined };

/**
 * Brings one version onto the volume, or tells why not. What the bucket shows is judged before anything is fetched; what was
 * fetched is judged again with its digests; then it runs once in a process of its own; and only then it is put in place.
 * @throws KedgeError of the bucket or the volume; what `signal` was aborted with
 */
export async function fetchVersion(
  services: Services,
  sight: ContractSight,
  view: VersionView,
  signal: AbortSignal,
): Promise<Outcome> {
  let dir: string | undefined;
  try {
    const staged = await services.fetching(async () => {
      signal.throwIfAborted();
      return stageAndJudge(services, sight, view, signal, (made) => {
        dir = made;
      });
    });
    if (!staged.ok) return staged;
    const { unjudged, judged } = staged;
    services.volume.step('judged');
    const outcome = await probeIt(services, unjudged, judged, signal);
    if (!outcome.ok) return outcome;
    services.volume.step('probed');
    signal.throwIfAborted();
    await services.volume.place(unjudged.dir, sight.model, view.version);
    return outcome;
  } finally {
    if (dir !== undefined) await services.volume.discard(dir);
  }
}

type Staged = { ok: true; unjudged: Unjudged; judged: Judged } | (Outcome & { ok: false });

async function stageAndJudge(
  services: Services,
  sight: ContractSight,
  view: VersionView,
  signal: AbortSignal,
  onStaged: (dir: string) => void,
): Promise<Staged> {
  const { model, rollout } = sight;
  const { version } = view;
  const { volume } = services;
  const contract = await services.contracts.find(sight, signal);
  const facts: Facts = { runtime: RUNTIME, contract, pinned: rollout?.pin === version };
  const stored = view.kind === 'published' ? await readManifest(services.reader, model, view, signal) : undefined;
  const early = judgeListing(model, view, stored, services.config.maxVersionBytes);
  if (early.length > 0) return refuseEarly(services, sight, view, { stored, early, facts }, signal);

  await checkSpace(services, model, view);
  const restage = async (): Promise<Unjudged> => {
    const dir = await volume.stage();
    onStaged(dir);
    return stage(services, model, view, stored, dir, signal);
  };
  let unjudged = await restage();
  if (!asVouched(unjudged)) {
    // A byte may have gone wrong on the way. Refusing is for good, so it takes two transfers that do not fit.
    services.log.info({ model, version }, `${model}/${version} came with another sha256 than its manifest names.`);
    await volume.discard(unjudged.dir);
    unjudged = await restage();
  }
  volume.step('staged');
  const judgement = await judge(unjudged, facts);
  if (!judgement.ok) return { ok: false, reasons: judgement.refusals, digest: judgement.digest };
  const { judged } = judgement;
  await onVolume('writing the manifest', () => writeFile(join(unjudged.dir, MANIFEST_FILE), judged.manifestBytes));
  return { ok: true, unjudged, judged };
}

/** What is wrong already needs no download; but the head is read, so that all reasons are told at once. */
async function refuseEarly(
  { reader }: Services,
  { model }: ContractSight,
  view: VersionView,
  { stored, early, facts }: { stored: StoredManifest | undefined; early: Refusal[]; facts: Facts },
  signal: AbortSignal,
): Promise<Outcome & { ok: false }> {
  const head = await readRemoteHead(reader, model, view, signal);
  const manifest = manifestIn(stored);
  // Without the manifest that belongs to it, nothing can be said of the files of a published version.
  const files = stored && !manifest ? undefined : presentFiles(view);
  const more = admit({ model, version: view.version, manifest, head, files }, facts);
  const told = new Set(early.map(({ code, message }) => `${code} ${message}`));
  const reasons = [...early, ...more.filter(({ code, message }) => !told.has(`${code} ${message}`))];
  return { ok: false, reasons, digest: stored?.digest };
}

/** Fetches all files of a version, several at once. */
async function stage(
  services: Services,
  model: string,
  view: VersionView,
  stored: StoredManifest | undefined,
  dir: string,
  signal: AbortSignal,
): Promise<Unjudged> {
  const { reader, volume, metrics, clock, random, log } = services;
  const { version } = view;
  const files = wantedFiles(view);
  const sums = await fetchFiles(reader.store, versionPrefix(model, version), files, dir, {
    clock,
    random,
    signal,
    onBytes: (bytes) => metrics.fetchBytes.inc(bytes),
    onRetry: (error) => {
      metrics.fetchRetries.inc();
      log.debug({ model, version, code: error.code }, `A transfer broke off and is taken up again: ${error.message}`);
    },
    onFile: () => volume.step('file-staged'),
  });
  const storedAt = files.find(({ path }) => path === MODEL_FILE)?.modifiedAt ?? 0;
  return {
    model,
    version,
    bare: view.kind === 'bare',
    dir,
    files: files.map(({ path, bytes }) => ({ path, bytes, sha256: sums.get(path)! })),
    manifest: stored?.parsed.ok ? { value: stored.parsed.manifest, bytes: stored.bytes } : undefined,
    storedAt: isoTime(storedAt),
  };
}

/** Whether every file came with the sha256 that its manifest names; a bare drop has none to be held against. */
function asVouched({ manifest, files }: Unjudged): boolean {
  const sums = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return manifest?.value.files.every(({ path, sha256 }) => sums.get(path) === sha256) ?? true;
}

/** Told before a byte is fetched, so that a volume that is too small is not filled and emptied again and again. */
async function checkSpace({ volume }: Services, model: string, view: VersionView): Promise<void> {
  const needed = wantedFiles(view).reduce((sum, { bytes }) => sum + bytes, 0);
  const free = await volume.freeBytes();
  if (needed <= free) return;
  throw new KedgeError(
    'volume-failed',
    `${model}/${view.version} needs ${needed} bytes and the volume has ${free} left. Make it larger, or keep fewer versions (KEDGE_KEEP).`,
    { details: { code: 'ENOSPC' } },
  );
}
