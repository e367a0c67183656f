import { admit } from '../contract/admission.ts';
import { MANIFEST_FILE } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import type { VersionView, ViewFile } from './bucket-view.ts';
import { manifestIn, presentFiles, type StoredManifest } from './model-contract.ts';

/** The files of a version that are fetched: all but the manifest, whose bytes are at hand already. */
export function wantedFiles({ files }: VersionView): ViewFile[] {
  return files.filter(({ path }) => path !== MANIFEST_FILE);
}

/** What a listing and the manifest tell without any other file: why it is not worth the way. */
export function judgeListing(
  model: string,
  view: VersionView,
  stored: StoredManifest | undefined,
  maxBytes: number,
): Refusal[] {
  const { version } = view;
  const files = presentFiles(view);
  const refusals: Refusal[] = [];
  if (stored && !stored.parsed.ok) refusals.push(...stored.parsed.refusals);
  else refusals.push(...admit({ model, version, manifest: manifestIn(stored), files }));
  if (stored && view.vouched !== undefined && view.vouched !== stored.digest) {
    refusals.push({
      code: 'manifest-changed',
      message: `The manifest of ${model}/${version} is not the one that was published. Publish what you want to serve as a new version.`,
      expected: view.vouched,
      found: stored.digest,
    });
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > maxBytes) {
    refusals.push({
      code: 'version-too-large',
      message: `The files of ${model}/${version} have ${bytes} bytes together, more than the loader takes. Raise KEDGE_MAX_VERSION_MB, or export a smaller model.`,
      expected: `at most ${maxBytes} bytes`,
      found: `${bytes} bytes`,
    });
  }
  return refusals;
}
