import { type BucketIndex, bucketIndexSchema } from '../contract/bucket-index.ts';
import { INDEX_KEY, versionPrefix } from '../contract/layout.ts';
import type { Rollout } from '../contract/rollout.ts';
import { parseDocument } from '../registry/documents.ts';
import type { ObjectInfo, ObjectStore } from '../registry/object-store.ts';
import { collect } from '../registry/read-object.ts';
import { readRollout } from '../registry/rollout-file.ts';

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

  async #list(prefix: string, signal: AbortSignal | undefined, onPage?: () => void): Promise<ObjectInfo[]> {
    const objects: ObjectInfo[] = [];
    for await (const page of this.store.list(prefix, signal && { signal })) {
      objects.push(...page);
      onPage?.();
    }
    return objects;
  }
}
