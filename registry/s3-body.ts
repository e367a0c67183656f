import type { Readable } from 'node:stream';
import { KedgeError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type ProgressOptions, ProgressWatch } from './progress-watch.ts';

export interface BodyOptions {
  /** What the head said that would come. */
  bytes: number;
  clock: Clock;
  progress: ProgressOptions;
  /** For messages: `s3://models/demand/8/model.onnx`. */
  name: string;
  /** Turns an error of the stream into one that says what to do. */
  explain: (error: unknown) => Error;
  signal?: AbortSignal | undefined;
}

/**
 * A body of the SDK as an iterable that frees its connection however the reader leaves: at the end, by an error, by `return`
 * of the iterator also when nothing was read yet (a generator would not notice), and by the signal.
 */
export function readBody(stream: Readable, options: BodyOptions): AsyncIterable<Uint8Array> {
  const iterator = new BodyIterator(stream, options);
  return { [Symbol.asyncIterator]: () => iterator };
}

class BodyIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #options: BodyOptions;
  readonly #watch: ProgressWatch;
  #started = false;
  #received = 0;
  /** Why we destroyed the stream; the stream itself may report another cause. */
  #reason: unknown;

  constructor(stream: Readable, options: BodyOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#watch = new ProgressWatch(options.clock, options.progress);
    // Without a listener an error before the first read would end the process.
    stream.on('error', () => undefined);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#started) void this.#watch.run(() => this.#destroy(this.#tooSlow()));
    this.#started = true;
    this.#watch.waiting();
    try {
      const { done, value } = await this.#chunks.next();
      if (done) {
        if (this.#reason !== undefined) throw this.#reason;
        this.#checkLength();
        this.#end();
        return { done: true, value: undefined };
      }
      this.#watch.arrived(value.byteLength);
      this.#received += value.byteLength;
      if (this.#received > this.#options.bytes) this.#checkLength();
      return { done: false, value };
    } catch (error) {
      this.#end();
      this.#stream.destroy();
      throw this.#reason ?? this.#options.explain(error);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#end();
    this.#stream.destroy();
    return { done: true, value: undefined };
  }

  readonly #onAbort = (): void => this.#destroy(this.#options.signal!.reason);

  #destroy(reason: unknown): void {
    this.#reason = reason;
    this.#end();
    this.#stream.destroy();
  }

  #end(): void {
    this.#watch.end();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #checkLength(): void {
    const { bytes, name } = this.#options;
    if (this.#received === bytes) return;
    const message = `${name} gave ${this.#received} bytes where its head said ${bytes}. Read it again.`;
    this.#reason = new KedgeError('object-changed', message);
    throw this.#reason;
  }

  #tooSlow(): KedgeError {
    const { name, progress } = this.#options;
    const rate = `${progress.bytesPerSecond} bytes a second over ${progress.windowMs / 1000} s`;
    return new KedgeError('bucket-unreachable', `${name} came slower than ${rate}. Check the network, or try again.`, {
      details: { reason: 'drip' },
    });
  }
}
