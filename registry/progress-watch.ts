import type { Clock } from '../platform/clock.ts';

export interface ProgressOptions {
  /** Time over which the rate is judged. */
  windowMs: number;
  bytesPerSecond: number;
}

/**
 * Watches a body for a drip: bytes that come, but so slowly that no timeout of a socket ends it. Only the time in which the
 * reader waited for bytes counts, so a reader that is slow itself is no reason.
 */
export class ProgressWatch {
  readonly #clock: Clock;
  readonly #options: ProgressOptions;
  readonly #ended = new AbortController();
  #bytes = 0;
  #waitedMs = 0;
  #waitingSince: number | undefined;

  constructor(clock: Clock, options: ProgressOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Calls `onDrip` once, if ever. Runs until {@link end}. */
  async run(onDrip: () => void): Promise<void> {
    const { windowMs } = this.#options;
    const ended = this.#ended.signal;
    while (!ended.aborted) {
      await this.#clock.sleep(windowMs, ended);
      if (ended.aborted) return;
      if (this.#drips()) return onDrip();
    }
  }

  waiting(): void {
    this.#waitingSince = this.#clock.now();
  }

  arrived(bytes: number): void {
    this.#bytes += bytes;
    this.#settle(undefined);
  }

  end(): void {
    this.#ended.abort();
  }

  #drips(): boolean {
    this.#settle(this.#waitingSince === undefined ? undefined : this.#clock.now());
    const { windowMs, bytesPerSecond } = this.#options;
    // A reader that waited less than half of the window says too little about the store.
    const drips = this.#waitedMs >= windowMs / 2 && (this.#bytes * 1000) / this.#waitedMs < bytesPerSecond;
    this.#bytes = 0;
    this.#waitedMs = 0;
    return drips;
  }

  #settle(waitingSince: number | undefined): void {
    if (this.#waitingSince !== undefined) this.#waitedMs += this.#clock.now() - this.#waitingSince;
    this.#waitingSince = waitingSince;
  }
}
