import type { Clock } from '../../platform/clock.ts';

/** Tells of each thing when its time has come. One timer runs, for the earliest. */
export class RetryTimer<T> {
  readonly #clock: Clock;
  readonly #onDue: (due: T) => void;
  readonly #times = new Map<T, number>();
  #timer = new AbortController();
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (due: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** @param time milliseconds since the epoch; undefined to forget it */
  set(of: T, time: number | undefined): void {
    if (time === undefined) this.#times.delete(of);
    else this.#times.set(of, time);
    if (time !== undefined && time < this.#timerAt) this.#start(time);
  }

  close(): void {
    this.#times.clear();
    this.#timer.abort();
  }

  #start(time: number): void {
    this.#timer.abort();
    this.#timer = new AbortController();
    this.#timerAt = time;
    const { signal } = this.#timer;
    void this.#clock.sleep(Math.max(0, time - this.#clock.now()), signal).then(() => {
      if (!signal.aborted) this.#fire();
    });
  }

  #fire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (const [of, time] of this.#times) {
      if (time > now) continue;
      this.#times.delete(of);
      this.#onDue(of);
    }
    const next = Math.min(...this.#times.values());
    if (next < this.#timerAt) this.#start(next);
  }
}
