import { KedgeError } from '../contract/errors.ts';
import { fileKey, MODEL_FILE } from '../contract/layout.ts';
import { type HeadResult, readHead } from '../contract/onnx/head.ts';
import type { ObjectStore } from './object-store.ts';

/** Larger documents are somebody's mistake, and would take the memory of whoever reads them. */
const MAX_BYTES = 64 * 2 ** 20;

/** A small object's bytes together. @throws KedgeError `document-invalid` where there are more than a document has */
export async function collect(name: string, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES)
      throw new KedgeError('document-invalid', `${name} is larger than ${MAX_BYTES} bytes. It is no document.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An object as a listing showed it. */
interface Listed {
  bytes: number;
  etag: string;
}

interface PartOptions {
  /** The whole object if absent. */
  range?: { offset: number; length: number };
  signal?: AbortSignal | undefined;
}

/**
 * The bytes of a small object, or a part of one, which must still have the etag that a listing showed.
 * @throws KedgeError `object-missing`, `object-changed`, `document-invalid`
 */
export async function readListed(
  store: ObjectStore,
  key: string,
  etag: string,
  { range, signal }: PartOptions = {},
): Promise<Buffer> {
  const result = await store.get(key, { ifMatch: etag, ...(range && { range }), ...(signal && { signal }) });
  if (result.status === 'ok') return collect(key, result.body);
  throw new KedgeError('object-missing', `${key} was listed and is not there any more. List the bucket again.`);
}

/** The head of the model.onnx of a version, by ranged gets; undefined where there is no such file. */
export async function readRemoteHead(
  store: ObjectStore,
  { model, version }: { model: string; version: number },
  file: Listed | undefined,
  signal?: AbortSignal,
): Promise<HeadResult | undefined> {
  if (!file) return undefined;
  const key = fileKey(model, version, MODEL_FILE);
  return readHead(file.bytes, (offset, length) =>
    readListed(store, key, file.etag, { range: { offset, length }, signal }),
  );
}
