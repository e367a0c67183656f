/** A run that is so many times as large as any that was answered says nothing of the version by its length. */
const FAR = 16;
/** What would take this part of the limit by its size may reach it on a busy machine. */
const NEAR = 0.5;
/** So much larger than an answered run may one be and still be judged by it before it is run. */
const COMPARABLE = 8;
/** One run alone makes others look no more than so many times slower: it may have been its values, or the machine. */
const SLOWER = 1.5;
/** What was found too large is tried again after this time, in milliseconds. */
const FORGET_MS = 600_000;

/**
 * How large the runs of a version were, and how long: whether the size of a request explains that its run reached the limit, which is no
 * fault of the version then, and which requests need not be tried. Sizes are in bytes of inputs, as rows can be of any size.
 */
export class RunSizes {
  readonly #limitMs: number;
  /** The largest run that was answered, and what a byte takes in runs of about its size. */
  #answered: { bytes: number; msPerByte: number } | undefined;
  #tooLarge: { bytes: number; at: number } | undefined;

  /** @param limitMs of a run */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  answered(bytes: number, ms: number): void {
    const largest = this.#answered?.bytes ?? 0;
    // A small run is mostly what every run takes, so that it says little of a large one.
    if (bytes === 0 || bytes * 2 < largest) return;
    const most = SLOWER * (this.#answered?.msPerByte ?? Number.POSITIVE_INFINITY);
    this.#answered = { bytes: Math.max(bytes, largest), msPerByte: Math.min(ms / bytes, most) };
  }

  /** A run reached the limit. @returns whether its size explains that */
  reachedLimit(bytes: number, now: number): boolean {
    if (!this.#answered) return false;
    const isExplained = bytes >= FAR * this.#answered.bytes || bytes * this.#answered.msPerByte >= NEAR * this.#limitMs;
    if (isExplained) this.#tooLarge = { bytes, at: now };
    return isExplained;
  }

  /** Whether a run would reach the limit, by what others of about its size showed. How much too large one was nobody knows, so half of it counts as too large. */
  isTooLarge(bytes: number, now: number): boolean {
    const { bytes: largest, msPerByte } = this.#answered ?? { bytes: 0, msPerByte: 0 };
    if (bytes <= largest) return false;
    if (this.#tooLarge && now - this.#tooLarge.at < FORGET_MS && bytes * 2 > this.#tooLarge.bytes) return true;
    return bytes <= COMPARABLE * largest && bytes * msPerByte > this.#limitMs;
  }
}
