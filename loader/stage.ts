import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../contract/errors.ts';
import { MODEL_FILE, versionPrefix } from '../contract/layout.ts';
import type { ManifestFile } from '../contract/manifest.ts';
import { isoTime } from '../platform/clock.ts';
import type { VersionView, ViewFile } from './bucket-view.ts';
import { fetchFiles } from './fetch.ts';
import { wantedFiles } from './judge-listing.ts';
import { manifestIn, type StoredManifest } from './model-contract.ts';
import type { Unjudged } from './prepare.ts';
import type { Services } from './services.ts';
import { onVolume } from './volume-error.ts';

export interface Staging {
  model: string;
  view: VersionView;
  stored: StoredManifest | undefined;
  /** An empty folder. */
  dir: string;
}

/** Times that a file is fetched whose bytes are not those that its manifest names. */
const FETCHES = 3;

/** Fetches all files of a version into a folder. @throws as {@link fetchFiles} */
export async function stageFiles(services: Services, staging: Staging, signal: AbortSignal): Promise<Unjudged> {
  const { model, view, stored, dir } = staging;
  const files = wantedFiles(view);
  const sums = await fetchInto(services, staging, files, signal);
  const manifest = manifestIn(stored);
  for (const named of manifest?.files ?? []) {
    const sum = sums.get(named.path)!;
    if (sum !== named.sha256) sums.set(named.path, await fetchAgain(services, staging, named, sum, signal));
  }
  const storedAt = files.find(({ path }) => path === MODEL_FILE)?.modifiedAt ?? 0;
  return {
    model,
    version: view.version,
    bare: view.kind === 'bare',
    dir,
    files: files.map(({ path, bytes }) => ({ path, bytes, sha256: sums.get(path)! })),
    manifest: stored && manifest && { value: manifest, bytes: stored.bytes },
    storedAt: isoTime(storedAt),
  };
}

/**
 * Bytes can be damaged on the way, and come otherwise the next time; those that come twice the same are the ones that the bucket
 * has, right or wrong.
 * @returns the sha256 of what lies there now
 */
async function fetchAgain(
  services: Services,
  staging: Staging,
  { path, sha256 }: ManifestFile,
  first: string,
  signal: AbortSignal,
): Promise<string> {
  const { model, view, dir } = staging;
  const file = wantedFiles(view).find((each) => each.path === path)!;
  const seen = new Set([first]);
  for (let fetches = 1; fetches < FETCHES; fetches++) {
    await onVolume('removing a file', () => rm(join(dir, path)));
    const sum = (await fetchInto(services, staging, [file], signal)).get(path)!;
    if (sum === sha256 || seen.has(sum)) return sum;
    seen.add(sum);
  }
  const message = `'${path}' of ${model}/${view.version} came with other bytes each of ${FETCHES} times. Check the network and the store.`;
  throw new KedgeError('bucket-unreachable', message);
}

function fetchInto(
  { reader, volume, metrics, clock, random, log }: Services,
  { model, view: { version }, dir }: Staging,
  files: readonly ViewFile[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  return fetchFiles(reader.store, versionPrefix(model, version), files, dir, {
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
}
