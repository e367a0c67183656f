import { createHash } from 'node:crypto';
import { hasCode, KedgeError } from '../contract/errors.ts';
import { claimKey, fileKey, manifestKey } from '../contract/layout.ts';
import { type Details, digestOf, type ManifestFile } from '../contract/manifest.ts';
import { manifestOf, serializeManifest } from '../contract/manifest-of.ts';
import type { OnnxHead } from '../contract/onnx/graph.ts';
import type { WriteOptions } from './documents.ts';
import type { ObjectStore, PutBody } from './object-store.ts';
import type { Claimed } from './publish-claim.ts';
import { checkUnchanged, type SourceFile } from './source.ts';

/** Where a publish is; each is told before the step. The bucket is consistent between any two. */
export type PublishStep = 'check' | 'claim' | `file ${string}` | 'manifest' | 'index' | 'done';

/** What is to be stored, the same under any number. */
export interface Work extends WriteOptions {
  store: ObjectStore;
  model: string;
  head: OnnxHead;
  details: Details;
  sources: readonly SourceFile[];
  files: readonly ManifestFile[];
  step: (step: PublishStep) => Promise<void>;
  onBytes: (bytes: number) => void;
}

export interface Done {
  version: number;
  digest: string;
}

/**
 * Stores files and manifest under a number that is ours. `taken`: other bytes lie there, and none of ours. `mixed`: other
 * bytes lie beside ours; the version stays incomplete.
 */
export async function finish(
  work: Work,
  claimed: Claimed,
  present: ReadonlyMap<string, unknown>,
): Promise<Done | 'taken' | 'mixed'> {
  try {
    let done = 0;
    for (const [i, source] of work.sources.entries()) {
      await work.step(`file ${source.path}`);
      const before = done;
      const stored = await storeFile(work, claimed.version, source, work.files[i]!, {
        mayBeThere: present.has(source.path),
        onProgress: (bytes) => work.onBytes(before + bytes),
      });
      if (!stored) return i === 0 ? 'taken' : 'mixed';
      done += source.bytes;
      work.onBytes(done);
    }
    await checkUnchanged(work.sources);
    await checkClaim(work, claimed);
    await work.step('manifest');
    const text = manifestText(work, claimed);
    const stored = await create(work, manifestKey(work.model, claimed.version), text, {
      bytes: text.length,
      sha256: digestOf(text).slice('sha256:'.length),
    });
    await checkClaim(work, claimed);
    return stored ? { version: claimed.version, digest: digestOf(text) } : 'mixed';
  } catch (error) {
    if (isRemoved(error)) await removeOwn(work, claimed).catch(() => undefined);
    throw withHint(error, work.model, claimed);
  }
}

async function storeFile(
  work: Work,
  version: number,
  { file, bytes, path }: SourceFile,
  wanted: ManifestFile,
  { mayBeThere, onProgress }: { mayBeThere: boolean; onProgress: (bytes: number) => void },
): Promise<boolean> {
  const key = fileKey(work.model, version, path);
  if (mayBeThere) return holds(work, key, wanted);
  return create(work, key, { file, bytes }, wanted, onProgress);
}

/** Create-only; false where other bytes are there already. */
async function create(
  work: Work,
  key: string,
  body: PutBody,
  wanted: Pick<ManifestFile, 'bytes' | 'sha256'>,
  onProgress?: (bytes: number) => void,
): Promise<boolean> {
  const { store, signal } = work;
  try {
    await store.put(key, body, { create: true }, { ...(onProgress && { onProgress }), ...(signal && { signal }) });
    return true;
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error;
    return holds(work, key, wanted);
  }
}

/** The bytes of manifest.json: the same for the same claim, whoever makes them. */
export function manifestText({ model, files, head, details }: Work, { version, claim }: Claimed): Buffer {
  const parts = { model, version, createdAt: claim.createdAt, files, head, details };
  return Buffer.from(serializeManifest(manifestOf(parts)));
}

/** `kedge gc` takes the claim away from a publisher that rested too long; see there why this is asked before and after. */
async function checkClaim({ store, model, signal }: Work, { version, etag }: Claimed): Promise<void> {
  const now = await store.head(claimKey(model, version), signal ? { signal } : {});
  if (now?.etag === etag) return;
  throw new KedgeError(
    'conflict',
    `version ${version} of ${model} was removed while it was published. Publish again.`,
    {
      details: { removed: true },
    },
  );
}

/** Whether an object has the bytes that the manifest will name. */
async function holds(
  { store, signal }: Work,
  key: string,
  { bytes, sha256 }: Pick<ManifestFile, 'bytes' | 'sha256'>,
): Promise<boolean> {
  const got = await store.get(key, signal ? { signal } : {});
  if (got.status !== 'ok') return false;
  if (got.info.bytes !== bytes) {
    await got.body[Symbol.asyncIterator]().return?.();
    return false;
  }
  const hash = createHash('sha256');
  for await (const chunk of got.body) hash.update(chunk);
  return hash.digest('hex') === sha256;
}

function isRemoved(error: unknown): boolean {
  return error instanceof KedgeError && error.details['removed'] === true;
}

/** What came after gc had removed the rest; without its claim it would look like files that somebody copied in by hand. */
async function removeOwn({ store, model, sources }: Work, { version }: Claimed): Promise<void> {
  await store.delete(manifestKey(model, version));
  for (const { path } of sources) await store.delete(fileKey(model, version, path));
}

/** An error after the claim also says how to go on. */
function withHint(error: unknown, model: string, { version, claim }: Claimed): unknown {
  if (!(error instanceof KedgeError) || isRemoved(error)) return error;
  const hint = `Version ${version} of ${model} is claimed and incomplete: the same command with --publisher '${claim.publisher}' goes on with it, and kedge gc removes it later.`;
  return new KedgeError(error.code, `${error.message}\n${hint}`, { cause: error.cause, details: error.details });
}
