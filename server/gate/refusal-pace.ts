/** What of the loop's time refusals may take. */
const SHARE = 0.1;
/** That share may be used in advance, up to so many milliseconds of the loop's time: refusals that come seldom, or all at once and no more, are told at once. */
const BURST_MS = 20;
/** No refusal is held back for longer, in milliseconds. */
const LONGEST_MS = 1_000;
/** Those that are due within this time leave together, in milliseconds. */
const TOGETHER_MS = 5;
/** What a refusal takes of the loop where nothing recent tells, in milliseconds. */
const USUAL_COST_MS = 0.05;

export interface PaceOptions {
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
}

/**
 * Holds refusals back that would take more than a small part of the loop's time. A request has to be read before it can be refused, which costs about as much as
 * answering one for a small model, and whoever is refused asks again: told as fast as they come, refusals take the loop from what is admitted, until nothing at
 * all is answered in time. A client that waits for its refusal sends nothing meanwhile.
 *
 * Refusals follow a virtual schedule (the generic cell rate algorithm, ITU-T I.371): each moves it on by its cost over the share that all may take, and is
 * told once the schedule is no more than the burst ahead of the time.
 */
export class RefusalPace {
  readonly #options: PaceOptions;
  /** In the order of their times. */
  #held: { at: number; tell: () => void }[] = [];
  #scheduled = Number.NEGATIVE_INFINITY;
  #waking = false;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /**
   * One more refusal.
   * @param costMs what it takes of the loop, in milliseconds; 0 where that is not known
   * @returns undefined where it may be told at once; else resolves when it may
   */
  hold(costMs: number): Promise<void> | undefined {
    const now = this.#options.now();
    const burstMs = BURST_MS / SHARE;
    const scheduled = Math.max(this.#scheduled, now) + (costMs || USUAL_COST_MS) / SHARE;
    this.#scheduled = Math.min(scheduled, now + burstMs + LONGEST_MS);
    const waitMs = this.#scheduled - burstMs - now;
    if (waitMs <= 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push({ at: now + waitMs, tell: resolve });
    if (!this.#waking) void this.#wake();
    return promise;
  }

  async #wake(): Promise<void> {
    const { now, sleep } = this.#options;
    this.#waking = true;
    while (this.#held.length > 0) {
      await sleep(Math.max(TOGETHER_MS, this.#held[0]!.at - now()));
      const time = now();
      const due = this.#held.findIndex(({ at }) => at > time);
      for (const { tell } of this.#held.splice(0, due < 0 ? this.#held.length : due)) tell();
    }
    this.#waking = false;
  }
}
