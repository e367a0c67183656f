import { type BucketIndex, bucketIndexSchema } from '../contract/bucket-index.ts';
import { KedgeError } from '../contract/errors.ts';
import { INDEX_KEY, versionPrefix } from '../contract/layout.ts';
import type { Rollout } from '../contract/rollout.ts';
import { parseDocument } from '../registry/documents.ts';
import type { ObjectInfo, ObjectStore } from '../registry/object-store.ts';
import { readRollout } from '../registry/rollout-file.ts';

/** Larger documents are somebody's mistake, and would take the loader's memory. */
const MAX_DOCUMENT = 64 * 2 ** 20;

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Told as an answer comes in, page by page, so that a long listing is not taken for a loop that stands still. */
  onPage?: () => void;
}

/** Reads documents and listings of the bucket. Every method throws what the store throws, and `document-invalid`. */
export class BucketReader {
  readonly store: ObjectStore;
  #indexEtag: string | undefined;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** The index, if it changed since the last call that gave one; undefined if not, or if there is none. */
  async readIndex({ signal }: ReadOptions = {}): Promise<BucketIndex | undefined> {
    const etag = this.#indexEtag;
    const result = await this.store.get(INDEX_KEY, { ...(etag && { ifNoneMatch: etag }), ...(signal && { signal }) });
    if (result.status !== 'ok') return undefined;
    const text = new TextDecoder().decode(await collect(INDEX_KEY, result.body));
    const index = parseDocument(`${this.store.url}/${INDEX_KEY}`, text, bucketIndexSchema);
    this.#indexEtag = result.info.etag;
    return index;
  }

  async listAll({ signal, onPage }: ReadOptions = {}): Promise<ObjectInfo[]> {
    return this.#list('', signal, onPage);
  }

  async listVersion(model: string, version: number, { signal, onPage }: ReadOptions = {}): Promise<ObjectInfo[]> {
    return this.#list(versionPrefix(model, version), signal, onPage);
  }

  /** The rollout of a model; undefined where there is none. */
  readRollout(model: string, { signal }: ReadOptions = {}): Promise<Rollout | undefined> {
    return readRollout(this.store, model, signal);
  }

  /** The bytes of a small object as they are; it must still have the etag that a listing showed. */
  async readBytes(key: string, etag: string, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    const result = await this.store.get(key, { ifMatch: etag, ...(signal && { signal }) });
    if (result.status === 'ok') return collect(key, result.body);
    throw new KedgeError('object-missing', `${key} was listed and is not there any more. List the bucket again.`);
  }

  /** A part of an object that must still have the etag that a listing showed. */
  async readRange(
    key: string,
    etag: string,
    offset: number,
    length: number,
    { signal }: ReadOptions = {},
  ): Promise<Uint8Array> {
    const range = { offset, length };
    const result = await this.store.get(key, { ifMatch: etag, range, ...(signal && { signal }) });
    if (result.status === 'ok') return collect(key, result.body);
    throw new KedgeError('object-missing', `${key} was listed and is not there any more. List the bucket again.`);
  }

  async #list(prefix: string, signal: AbortSignal | undefined, onPage?: () => void): Promise<ObjectInfo[]> {
    const objects: ObjectInfo[] = [];
    for await (const page of this.store.list(prefix, signal && { signal })) {
      objects.push(...page);
      onPage?.();
    }
    return objects;
  }
}

async function collect(key: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_DOCUMENT)
      throw new KedgeError('document-invalid', `${key} is larger than ${MAX_DOCUMENT} bytes. It is no document.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
