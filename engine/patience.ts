import type { Clock } from '../platform/clock.ts';

/** Of the time that a request can spare, the part that it may wait for company: the rest is for what nobody foresees. */
const SPARED = 0.5;

export interface PatienceFacts {
  /** What a request that has time waits, in milliseconds. */
  waitMs: number;
  /** Until it wants its answer. */
  leftMs: number;
  /** What its run is expected to take. */
  expectedMs: number;
}

/** How long a request may wait for company, in milliseconds; 0 or less: not at all. Pure. */
export function patienceMs({ waitMs, leftMs, expectedMs }: PatienceFacts): number {
  return Math.min(waitMs, SPARED * (leftMs - expectedMs));
}

/** The wait of a model's requests for company: it ends for all of them with the one that can wait least. */
export class Patience {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #wait: { ends: number; stop: AbortController } | undefined;

  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** Waits that long, or less if others wait already and can do so less long. */
  begin(ms: number): void {
    const ends = this.#clock.now() + ms;
    if (this.#wait && this.#wait.ends <= ends) return;
    this.end();
    const wait = { ends, stop: new AbortController() };
    this.#wait = wait;
    void this.#clock.sleep(ms, wait.stop.signal).then(() => {
      if (this.#wait !== wait) return;
      this.#wait = undefined;
      this.#onEnd();
    });
  }

  /** Ends the wait, if there is one, without a word. */
  end(): void {
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.stop.abort();
  }
}
