/** What of the loop's time refusals may take while it has other work. */
const SHARE = 0.1;
/** And of the time in which it would have nothing to do. */
const IDLE_SHARE = 0.5;
/** So much may be saved up, in milliseconds of the loop's time: refusals that come seldom, or all at once and no more, are told at once. */
const BURST_MS = 20;
/** No refusal is held back for longer, in milliseconds. */
const LONGEST_MS = 1_000;
/** How often those that are held back are looked at, in milliseconds. */
const TICK_MS = 5;
/** What a refusal takes of the loop where nothing recent tells, in milliseconds. */
const USUAL_COST_MS = 0.05;

export interface PaceOptions {
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  /** For how long the loop had nothing to do so far, in milliseconds. */
  idleMs: () => number;
  sleep: (ms: number) => Promise<void>;
}

interface Held {
  costMs: number;
  since: number;
  tell: () => void;
}

/**
 * Holds refusals back that would take more than a small part of the loop's time. A request has to be read before it can be refused, which costs about as much as
 * answering one for a small model, and whoever is refused asks again: told as fast as they come, refusals take the loop from what is admitted, until nothing at
 * all is answered in time. A client that waits for its refusal sends nothing meanwhile.
 *
 * A token bucket: time of the loop comes in by a share of all of it and a larger one of what is idle, so that clients are never kept waiting while nothing else
 * is done; each refusal, in the order in which they came, is told once its cost is there.
 */
export class RefusalPace {
  readonly #options: PaceOptions;
  #held: Held[] = [];
  /** Milliseconds of the loop that refusals may take now. */
  #saved = BURST_MS;
  #filledAt: number;
  #idleBefore: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#filledAt = options.now();
    this.#idleBefore = options.idleMs();
  }

  /**
   * One more refusal.
   * @param knownCostMs what it takes of the loop, in milliseconds; 0 where that is not known
   * @returns undefined where it may be told at once; else resolves when it may
   */
  hold(knownCostMs: number): Promise<void> | undefined {
    const costMs = knownCostMs || USUAL_COST_MS;
    const now = this.#fill();
    if (this.#held.length === 0 && this.#saved >= costMs) {
      this.#saved -= costMs;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push({ costMs, since: now, tell: resolve });
    if (this.#held.length === 1) void this.#tick();
    return promise;
  }

  /** @returns the time */
  #fill(): number {
    const { now, idleMs } = this.#options;
    const [time, idle] = [now(), idleMs()];
    const more = SHARE * (time - this.#filledAt) + IDLE_SHARE * (idle - this.#idleBefore);
    this.#saved = Math.min(BURST_MS, this.#saved + more);
    this.#filledAt = time;
    this.#idleBefore = idle;
    return time;
  }

  async #tick(): Promise<void> {
    while (this.#held.length > 0) {
      await this.#options.sleep(TICK_MS);
      const now = this.#fill();
      let told = 0;
      for (const { costMs, since, tell } of this.#held) {
        if (this.#saved < costMs && now - since < LONGEST_MS) break;
        this.#saved = Math.max(0, this.#saved - costMs);
        told += 1;
        tell();
      }
      this.#held = this.#held.slice(told);
    }
  }
}
