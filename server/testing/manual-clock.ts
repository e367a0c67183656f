import type { Clock } from '../../platform/clock.ts';

interface Sleeper {
  at: number;
  wake(): void;
}

/** A clock that a test moves. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(now = Date.parse('2026-11-24T10:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        resolve();
      });
    });
  }

  /** Times from now at which somebody wants to be woken, the next first. */
  get waits(): number[] {
    return this.#sleepers.map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Moves on and wakes who slept until then; resolves once they had their turn. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
    await new Promise(setImmediate);
  }
}
