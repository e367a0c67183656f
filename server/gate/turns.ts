/** An idle loop takes a request up about this fast, in milliseconds: what came later than this after the last work waited for nobody. */
const IDLE_MS = 0.5;
/** Weight of the newest turn in the cost of a request. */
const NEWEST = 0.2;
/** Turns with fewer requests tell little of what one costs. */
const ENOUGH = 4;
/** A cost that was seen longer ago than this, in milliseconds, refuses nobody: a loop that is idle now could never correct it. */
const STALE_MS = 1_000;

/**
 * The turns of the event loop, as far as the requests that each takes in tell of them. While the loop is busy without a pause, whatever arrives
 * waits in its socket until the next turn, of which the request itself knows nothing. Refusing is work of the loop like any other.
 */
export class LoopTurns {
  readonly #endOfTurn: (call: () => void) => void;
  #inTurn = false;
  #beganAt: number | undefined;
  #beganBefore: number | undefined;
  #requests = 0;
  #workedAt = Number.NEGATIVE_INFINITY;
  #requestMs = 0;
  #lastMs = 0;
  #learntAt = Number.NEGATIVE_INFINITY;

  /** @param endOfTurn calls what it is given once the loop has taken in what this turn has */
  constructor(endOfTurn: (call: () => void) => void = setImmediate) {
    this.#endOfTurn = endOfTurn;
  }

  /** What taking in a request costs, whatever comes of it, in milliseconds; 0 where nothing recent tells. */
  requestMs(now: number): number {
    return now - this.#learntAt <= STALE_MS ? this.#requestMs : 0;
  }

  /** How long this turn will go on to take in requests, if it is as long as the one before, in milliseconds: nothing runs until then. */
  restMs(now: number): number {
    return this.#inTurn ? Math.max(0, this.#lastMs - (now - this.#beganAt!)) : 0;
  }

  /** A request is taken in. @returns how long it may have waited in its socket at most, in milliseconds */
  take(now: number): number {
    if (!this.#inTurn) this.#begin(now);
    this.#requests += 1;
    this.#workedAt = now;
    return now - (this.#beganBefore ?? this.#beganAt!);
  }

  /** Work of another kind ended. */
  worked(now: number): void {
    this.#workedAt = now;
  }

  #begin(now: number): void {
    this.#inTurn = true;
    const busy = now - this.#workedAt <= IDLE_MS;
    this.#beganBefore = busy ? this.#beganAt : undefined;
    this.#beganAt = now;
    this.#requests = 0;
    this.#endOfTurn(() => {
      this.#inTurn = false;
      this.#lastMs = this.#workedAt - now;
      if (this.#requests < ENOUGH) return;
      const seen = this.#lastMs / (this.#requests - 1);
      this.#requestMs = this.requestMs(now) + NEWEST * (seen - this.requestMs(now));
      this.#learntAt = this.#workedAt;
    });
  }
}
