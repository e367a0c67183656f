/** Which requests hold a version, and which wait for it to load. */
export class Usage {
  #held = 0;
  #waiting = 0;
  #lastUsed = 0;
  #settled: PromiseWithResolvers<void> | undefined;

  /** No request holds it. */
  get isFree(): boolean {
    return this.#held === 0;
  }

  /** Requests wait for it. */
  get isDemanded(): boolean {
    return this.#waiting > 0;
  }

  /** When a request last took hold of it, milliseconds since the epoch; 0 if none did. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  enter(now: number): void {
    this.#held += 1;
    this.#lastUsed = now;
  }

  leave(): void {
    this.#held -= 1;
  }

  /** One more that waits, or one less. @returns resolves at the next {@link settle} */
  demand(change: 1 | -1): Promise<void> {
    this.#waiting += change;
    this.#settled ??= Promise.withResolvers();
    return this.#settled.promise;
  }

  /** Those that wait need wait no longer. */
  settle(): void {
    this.#settled?.resolve();
    this.#settled = undefined;
  }
}
