import { parseManifest } from '../contract/admission/manifest.ts';
import { admit } from '../contract/admission.ts';
import { hasCode, KedgeError } from '../contract/errors.ts';
import { fileKey, MODEL_FILE, manifestKey } from '../contract/layout.ts';
import { signatureOf } from '../contract/manifest-of.ts';
import { type HeadResult, readHead } from '../contract/onnx/head.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { RUNTIME } from '../contract/runtime.ts';
import type { Signature } from '../contract/signature.ts';
import type { ScannedModel, ScannedVersion } from './bucket-scan.ts';
import { readDocument } from './documents.ts';
import type { ObjectStore } from './object-store.ts';

/** The head of the model.onnx of a version, by ranged gets; undefined where there is none. */
export async function readVersionHead(
  store: ObjectStore,
  model: string,
  { version, files }: ScannedVersion,
  signal?: AbortSignal,
): Promise<HeadResult | undefined> {
  const file = files.get(MODEL_FILE);
  if (!file) return undefined;
  const key = fileKey(model, version, MODEL_FILE);
  return readHead(file.bytes, async (offset, length) => {
    const got = await store.get(key, { range: { offset, length }, ifMatch: file.etag, ...(signal && { signal }) });
    if (got.status !== 'ok') throw new KedgeError('object-missing', `${store.url}/${key} is not there any more.`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of got.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
}

/** What a version takes and gives: by its manifest, or by its graph where it is bare. Undefined where neither can be read. */
export async function readSignature(
  store: ObjectStore,
  model: string,
  scanned: ScannedVersion,
  signal?: AbortSignal,
): Promise<Signature | undefined> {
  if (scanned.kind === 'incomplete') return undefined;
  if (scanned.kind === 'published') {
    const document = await readDocument(store, manifestKey(model, scanned.version), signal);
    const parsed = document && parseManifest(document.text);
    return parsed?.ok ? parsed.manifest.signature : undefined;
  }
  const head = await readVersionHead(store, model, scanned, signal);
  return head?.ok ? signatureOf(head.head) : undefined;
}

/**
 * The signature that clients of the model rely on, and the version that set it: that of `rollout.contract`, else of the
 * pinned version, else of the oldest one that could serve. Undefined for a model without any.
 */
export async function readContract(
  store: ObjectStore,
  { model, versions }: ScannedModel,
  rollout: Rollout | undefined,
  signal?: AbortSignal,
): Promise<{ version: number; signature: Signature } | undefined> {
  const chosen = rollout?.contract ?? rollout?.pin;
  if (chosen !== undefined) {
    const scanned = versions.get(chosen);
    const signature = scanned && (await readSignature(store, model, scanned, signal));
    return signature && { version: chosen, signature };
  }
  for (const scanned of versions.values()) {
    if (scanned.kind === 'incomplete' || isRetired(rollout, scanned.version)) continue;
    const signature = await signatureIfSound(store, model, scanned, signal);
    if (signature) return { version: scanned.version, signature };
  }
  return undefined;
}

/** Undefined for a version whose head cannot be read or does not pass the checks on bytes, as the loader judges it. */
async function signatureIfSound(
  store: ObjectStore,
  model: string,
  scanned: ScannedVersion,
  signal: AbortSignal | undefined,
): Promise<Signature | undefined> {
  try {
    const head = await readVersionHead(store, model, scanned, signal);
    const files = [...scanned.files].map(([path, { bytes }]) => ({ path, bytes }));
    const refusals = admit({ model, version: scanned.version, head, files }, { runtime: RUNTIME });
    if (!head?.ok || refusals.length > 0) return undefined;
    return scanned.kind === 'bare' ? signatureOf(head.head) : await readSignature(store, model, scanned, signal);
  } catch (error) {
    // A bare file that is just being written.
    if (hasCode(error, 'object-changed') || hasCode(error, 'object-missing')) return undefined;
    throw error;
  }
}
