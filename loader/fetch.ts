import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { hasCode, KedgeError } from '../contract/errors.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { ViewFile } from './bucket-view.ts';
import { onVolume } from './volume-error.ts';

export interface FetchOptions {
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  signal?: AbortSignal | undefined;
  onBytes?: (bytes: number) => void;
  /** Told of each time that a transfer broke off and goes on where it stopped. */
  onRetry?: (error: KedgeError) => void;
  onFile?: () => void;
}

/** Files of one version at once. The cost of a transfer is CPU, so more would gain little. */
const FILES_AT_ONCE = 4;
/** Failures in a row, without a byte in between, after which a file is given up for now. */
const ATTEMPTS = 5;
const BACKOFF: Backoff = { baseMs: 200, maxMs: 5_000 };

/**
 * Copies objects below `prefix` into `dir`, several at once, each as it was when it was listed.
 * @returns sha256 by path, 64 hexadecimal digits, computed over the bytes as they came
 * @throws KedgeError `object-changed` or `object-missing` where the bucket changed since the listing: list again;
 *   `bucket-unreachable` after several attempts; `volume-failed`; or what `signal` was aborted with
 */
export async function fetchFiles(
  store: ObjectStore,
  prefix: string,
  files: readonly ViewFile[],
  dir: string,
  options: FetchOptions,
): Promise<Map<string, string>> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const limit = pLimit(FILES_AT_ONCE);
  const fetchOne = async (file: ViewFile): Promise<[string, string]> => {
    const target = join(dir, file.path);
    await onVolume('making a folder', () => mkdir(dirname(target), { recursive: true }));
    const sha256 = await fetchFile(store, prefix + file.path, file, target, { ...options, signal });
    options.onFile?.();
    return [file.path, sha256];
  };
  const transfers = files.map((file) =>
    limit(async () => {
      signal.throwIfAborted();
      return fetchOne(file);
    }).catch((error: unknown) => {
      // The first failure ends the others; they would report only that they were ended.
      if (!failed.signal.aborted) failed.abort(error);
      throw error;
    }),
  );
  const settled = await Promise.allSettled(transfers);
  if (failed.signal.aborted) throw options.signal?.aborted ? options.signal.reason : failed.signal.reason;
  return new Map(settled.map((each) => (each as PromiseFulfilledResult<[string, string]>).value));
}

/** One object into a new file. */
async function fetchFile(
  store: ObjectStore,
  key: string,
  { bytes, etag }: ViewFile,
  target: string,
  options: FetchOptions,
): Promise<string> {
  const file = await onVolume('making a file', () => open(target, 'wx', 0o644));
  try {
    const write = (chunk: Uint8Array): Promise<void> => onVolume(`writing ${key}`, () => writeAll(file, chunk));
    return await readObject(store, key, { bytes, etag }, write, options);
  } finally {
    await file.close();
  }
}

/**
 * Reads an object to its end, going on where a broken transfer stopped, with one running digest.
 * @returns its sha256, 64 hexadecimal digits
 * @throws as {@link fetchFiles}, and what `take` throws
 */
export async function readObject(
  store: ObjectStore,
  key: string,
  { bytes, etag }: Pick<ViewFile, 'bytes' | 'etag'>,
  take: (chunk: Uint8Array) => Promise<void>,
  options: FetchOptions,
): Promise<string> {
  const { signal } = options;
  const hash = createHash('sha256');
  if (bytes === 0) await checkEmpty(store, key, etag, signal);
  let have = 0;
  for (let failures = 0; have < bytes; ) {
    const before = have;
    try {
      for await (const chunk of await openBody(store, key, etag, have, signal)) {
        await take(chunk);
        hash.update(chunk);
        have += chunk.byteLength;
        options.onBytes?.(chunk.byteLength);
      }
      if (have !== bytes) throw changed(key);
    } catch (error) {
      if (!hasCode(error, 'bucket-unreachable') || signal?.aborted) throw error;
      failures = have > before ? 1 : failures + 1;
      if (failures >= ATTEMPTS) throw error;
      options.onRetry?.(error);
      await options.clock.sleep(backoffMs(failures - 1, BACKOFF, options.random()), signal);
    }
  }
  return hash.digest('hex');
}

async function openBody(
  store: ObjectStore,
  key: string,
  etag: string,
  have: number,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const result = await store.get(key, {
    ifMatch: etag,
    ...(have > 0 && { range: { offset: have } }),
    ...(signal && { signal }),
  });
  if (result.status === 'ok') return result.body;
  throw new KedgeError('object-missing', `${key} was listed and is not there any more. List the bucket again.`);
}

/** A file of no bytes has no body to wait for; but it must still be the one that was listed. */
async function checkEmpty(
  store: ObjectStore,
  key: string,
  etag: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const info = await store.head(key, signal && { signal });
  if (info?.etag !== etag) throw changed(key);
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, done);
    done += bytesWritten;
  }
}

function changed(key: string): KedgeError {
  return new KedgeError('object-changed', `${key} is not what was listed. List the bucket again.`);
}
