/** What a request holds of memory, moved by {@link BodyBytes} alone. */
export interface Holding {
  held: number;
}

/**
 * Bytes of requests that are in memory, of all versions: those of bodies from when they come, packed and unpacked, until their answer is made, and those of answers that
 * their clients do not read. They are counted before admission, so that neither uploads that stand still nor what becomes large when it is unpacked
 * can take more than the limit.
 */
export class BodyBytes {
  readonly #limit: number;
  #held = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /**
   * More bytes of a request, or fewer if negative. One that finds nothing of others is not refused, so that a request larger than the limit is not refused for ever.
   * @returns whether there is room for them; if not, nothing changes
   */
  take(holding: Holding, bytes: number): boolean {
    if (bytes > 0 && this.#held + bytes > this.#limit && this.#held > holding.held) return false;
    this.add(holding, bytes);
    return true;
  }

  /** Bytes that are there already, room or not. */
  add(holding: Holding, bytes: number): void {
    holding.held += bytes;
    this.#held += bytes;
  }

  /** All that a request holds is gone. Harmless when called again. */
  release(holding: Holding): void {
    this.add(holding, -holding.held);
  }
}
