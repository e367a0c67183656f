import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { admit, type Facts } from '../contract/admission.ts';
import { KedgeError } from '../contract/errors.ts';
import { MANIFEST_FILE } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import { RUNTIME } from '../contract/runtime.ts';
import type { VersionView } from './bucket-view.ts';
import { judgeListing, wantedFiles } from './judge-listing.ts';
import {
  type ContractSight,
  manifestIn,
  presentFiles,
  readHeadOf,
  readManifest,
  type StoredManifest,
} from './model-contract.ts';
import { type Judged, judge, type Unjudged } from './prepare.ts';
import { type Passed, probeIt } from './probe-job.ts';
import type { Services } from './services.ts';
import { stageFiles } from './stage.ts';
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
  const dir = await volume.stage();
  onStaged(dir);
  const unjudged = await stageFiles(services, { model, view, stored, dir }, signal);
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
  const head = await readHeadOf(reader, model, view, signal);
  const manifest = manifestIn(stored);
  // Without the manifest that belongs to it, nothing can be said of the files of a published version.
  const files = stored && !manifest ? undefined : presentFiles(view);
  const more = admit({ model, version: view.version, manifest, head, files }, facts);
  const told = new Set(early.map(({ code, message }) => `${code} ${message}`));
  const reasons = [...early, ...more.filter(({ code, message }) => !told.has(`${code} ${message}`))];
  return { ok: false, reasons, digest: stored?.digest };
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
