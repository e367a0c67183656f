import type { CatalogAvailable } from '../contract/catalog.ts';
import { fileKey } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import type { VersionView } from './bucket-view.ts';
import { readObject } from './fetch.ts';
import { wantedFiles } from './judge-listing.ts';
import { readManifest } from './model-contract.ts';
import type { Services } from './services.ts';

/**
 * Looks at a version that is vouched for and shows another fingerprint in the bucket. Other times and etags alone are no change
 * (a bucket may be copied or restored), so its bytes are read again. Whatever they are, the copy on the volume keeps serving.
 * @returns what differs; nothing if its bytes are the same
 */
export async function recheckVersion(
  services: Services,
  model: string,
  entry: CatalogAvailable,
  view: VersionView,
  signal: AbortSignal,
): Promise<Refusal[]> {
  return services.fetching(async () => {
    signal.throwIfAborted();
    const warnings: Refusal[] = [];
    if (view.vouched !== undefined && view.vouched !== entry.digest) {
      warnings.push({
        code: 'manifest-changed',
        message: `The index now names another manifest for ${model}/${entry.version}. The copy here serves on; publish what you want to serve as a new version.`,
        expected: entry.digest,
        found: view.vouched,
      });
    }
    const difference = await findDifference(services, model, entry, view, signal);
    if (difference !== undefined) {
      warnings.push({
        code: 'version-changed',
        message: `${model}/${entry.version} changed in the bucket after it was vouched for: ${difference}. The copy here serves on; publish what you want to serve as a new version.`,
      });
    }
    return warnings;
  });
}

async function findDifference(
  { reader, clock, random, metrics }: Services,
  model: string,
  entry: CatalogAvailable,
  view: VersionView,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { version } = entry;
  if (view.kind === 'published') {
    const { digest } = await readManifest(reader, model, view, signal);
    if (digest !== entry.digest) return 'its manifest is another';
  }
  const shown = new Map(wantedFiles(view).map((file) => [file.path, file]));
  const { files } = entry.manifest;
  const extra = [...shown.keys()].find((path) => !files.some((file) => file.path === path));
  if (extra !== undefined) return `a file '${extra}' was added`;
  for (const { path, bytes } of files) {
    const file = shown.get(path);
    if (!file) return `'${path}' is not there any more`;
    if (file.bytes !== bytes) return `'${path}' has ${file.bytes} bytes instead of ${bytes}`;
  }
  for (const { path, sha256 } of files) {
    const onBytes = (bytes: number): void => metrics.fetchBytes.inc(bytes);
    const options = { clock, random, signal, onBytes };
    const take = async (): Promise<void> => undefined;
    const sum = await readObject(reader.store, fileKey(model, version, path), shown.get(path)!, take, options);
    if (sum !== sha256) return `'${path}' has another sha256`;
  }
  return undefined;
}
