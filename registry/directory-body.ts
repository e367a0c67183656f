import type { FileHandle } from 'node:fs/promises';
import { KedgeError } from '../contract/errors.ts';
import { etagOf } from './directory-walk.ts';

const CHUNK_BYTES = 256 * 1024;

export interface FileBodyOptions {
  /** For messages. */
  path: string;
  etag: string;
  start: number;
  /** Byte after the last one wanted; within the file as it was when opened. */
  end: number;
  signal?: AbortSignal | undefined;
}

/** Part of an open file as an iterable that closes it however the reader leaves, also when nothing was read. */
export function readFileBody(handle: FileHandle, options: FileBodyOptions): AsyncIterable<Uint8Array> {
  const iterator = new FileBodyIterator(handle, options);
  return { [Symbol.asyncIterator]: () => iterator };
}

class FileBodyIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #handle: FileHandle;
  readonly #options: FileBodyOptions;
  #position: number;
  #closed = false;

  constructor(handle: FileHandle, options: FileBodyOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#position = options.start;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#closed) return { done: true, value: undefined };
    const { end, signal } = this.#options;
    try {
      signal?.throwIfAborted();
      const wanted = Math.min(CHUNK_BYTES, end - this.#position);
      if (wanted > 0) {
        const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(wanted), 0, wanted, this.#position);
        if (bytesRead === 0) throw this.#changed();
        this.#position += bytesRead;
        return { done: false, value: buffer.subarray(0, bytesRead) };
      }
      // Somebody may have written into the file in place while it was read.
      if (etagOf(await this.#handle.stat({ bigint: true })) !== this.#options.etag) throw this.#changed();
      return await this.return();
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#handle.close();
    }
    return { done: true, value: undefined };
  }

  #changed(): KedgeError {
    return new KedgeError('object-changed', `${this.#options.path} changed while it was read. Read it again.`);
  }
}
