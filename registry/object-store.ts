/** What a listing or a head tells of an object. */
export interface ObjectInfo {
  key: string;
  bytes: number;
  /** Opaque: equal etags mean equal bytes, and it serves as condition. It is no digest. */
  etag: string;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
}

export interface GetOptions {
  /** Answers `not-modified` while the object still has this etag. */
  ifNoneMatch?: string;
  /** Answers with `object-changed` when the object has another etag. */
  ifMatch?: string;
  /** First byte wanted, and how many (at least one); to the end if `length` is absent. Fewer come where the object ends. */
  range?: { offset: number; length?: number };
  signal?: AbortSignal;
}

/** `info.bytes` is the size of the whole object, also where a range was asked for. */
export type GetResult =
  | { status: 'ok'; info: ObjectInfo; body: AsyncIterable<Uint8Array> }
  | { status: 'not-modified' }
  | { status: 'missing' };

/** Bytes to store, or a file to stream them from. */
export type PutBody = Uint8Array | { file: string; bytes: number };

/** `create`: only where nothing is yet. `ifMatch`: only over the object with this etag. Neither: over anything. */
export type PutCondition = { create: true } | { ifMatch: string } | Record<string, never>;

export interface PutOptions {
  signal?: AbortSignal;
  /** Told of the bytes stored so far of this object, growing; the last call has all of them. */
  onProgress?: (bytes: number) => void;
}

/**
 * A place of objects under a prefix; keys are relative to it. Reads see the newest write, a key changes at once as a whole.
 *
 * Every method throws KedgeError:
 * `bucket-unreachable` when the store does not answer, refuses the credentials, stalls, or cuts a body off (with
 * `details.status` where there is an HTTP status). What a body gave before is good: go on with `range` and `ifMatch`.
 * `conflict` when a condition of a put or delete does not hold.
 * `object-changed` when `ifMatch` of a get does not hold, a range begins at or after the end, or a body has another length
 * than its head said: begin again.
 * `path-invalid` for a key that cannot be stored everywhere.
 * After an abort of `signal` they throw its reason instead. A `delete` of what is not there succeeds.
 */
export interface ObjectStore {
  /** For messages: `s3://models/prod`, `file:///srv/models`. */
  readonly url: string;
  /** Whether an object may be seen half-written (a directory that people copy into), so that it must rest before it is read. */
  readonly mayTear: boolean;
  /** All objects whose key begins with `prefix`, in pages, in the order of their keys. A failed page throws; it never ends early. */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectInfo[]>;
  head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo | undefined>;
  /** The caller reads `body` to its end or returns from its iterator; either frees the connection. */
  get(key: string, options?: GetOptions): Promise<GetResult>;
  put(key: string, body: PutBody, condition: PutCondition, options?: PutOptions): Promise<{ etag: string }>;
  delete(key: string, options?: { ifMatch?: string; signal?: AbortSignal }): Promise<void>;
  close(): void;
}
