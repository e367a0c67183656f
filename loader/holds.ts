import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';

/** How long something that went wrong for reasons of the bucket or the volume is left alone. */
const HOLD = { baseMs: 1_000, maxMs: 60_000 };

interface Hold {
  /** Milliseconds since the epoch. */
  until: number;
  failures: number;
  /** The volume could not be written. */
  volume: boolean;
}

/** What is left alone for a while, longer with each failure, by key. */
export class Holds {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #held = new Map<string, Hold>();

  /** @param random in [0, 1), for jitter */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** It failed, once more. @param options.volume because the volume could not be written */
  add(key: string, { volume }: { volume: boolean }): void {
    const failures = (this.#held.get(key)?.failures ?? 0) + 1;
    const until = this.#clock.now() + backoffMs(failures - 1, HOLD, this.#random());
    this.#held.set(key, { until, failures, volume });
  }

  /** It went well. */
  release(key: string): void {
    this.#held.delete(key);
  }

  /**
   * Forgets those whose time is over and that are not tried again.
   * @param isTried whether it is under way now
   */
  expire(isTried: (key: string) => boolean): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#held) if (until <= now && !isTried(key)) this.#held.delete(key);
  }

  /** Something waits for the volume to be writable. */
  get forVolume(): boolean {
    return [...this.#held.values()].some(({ volume }) => volume);
  }

  /** Keys that are to be left alone still. */
  keys(now: number): string[] {
    return [...this.#held].filter(([, { until }]) => until > now).map(([key]) => key);
  }

  /** When, after now, the first of them may be tried again; Infinity if there is none. */
  nextAt(now: number): number {
    return Math.min(...[...this.#held.values()].map(({ until }) => until).filter((until) => until > now));
  }
}
