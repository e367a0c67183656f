/** What is kept of the share after an answer that came late. */
const LESS = 0.8;
/** What an answer in time gives back of it. */
const MORE = 0.005;
const LEAST = 0.3;
/** All that wait when one comes late are late by the same mistake, so that it counts once in this time, in milliseconds. */
const ONCE_MS = 20;
/** What was learnt longer ago than this, in milliseconds, holds no more: with nothing admitted it could never be corrected. */
const STALE_MS = 1_000;

/**
 * What admission plans with of the time that a request has left: all of it, or less where answers came late though they were admitted. The costs that
 * admission adds up leave out what it cannot see, such as refusals between two runs or a busy machine; this learns their sum from
 * the outcome alone, by additive increase and multiplicative decrease (Chiu and Jain 1989), the rule that TCP shares a line by.
 */
export class Margin {
  #share = 1;
  #loweredAt = Number.NEGATIVE_INFINITY;
  #learntAt = Number.NEGATIVE_INFINITY;

  /** In [0.3, 1]. @param now milliseconds on a clock that never goes back */
  share(now: number): number {
    return now - this.#learntAt <= STALE_MS ? this.#share : 1;
  }

  /** A request with a deadline was answered. */
  learn(late: boolean, now: number): void {
    if (now - this.#learntAt > STALE_MS) this.#share = 1;
    this.#learntAt = now;
    if (!late) this.#share = Math.min(1, this.#share + MORE);
    else if (now - this.#loweredAt >= ONCE_MS) {
      this.#share = Math.max(LEAST, this.#share * LESS);
      this.#loweredAt = now;
    }
  }
}
