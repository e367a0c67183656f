import type { Clock } from '../../platform/clock.ts';

/**
 * The latch of the first readiness: which models of the first catalog have not come through their first load. It opens when each of them
 * answers, waits to be asked (a lazy one), or will not come soon, or when its time is over; and then it stays open, so that no
 * later candidate touches readiness.
 */
export class FirstLoads {
  readonly #clock: Clock;
  readonly #limitMs: number;
  /** Undefined before a catalog that had anything to load. */
  #waiting: Set<string> | undefined;
  #until = Number.POSITIVE_INFINITY;

  /** @param limitMs how long the first models are waited for, from their catalog on */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Takes the names of the models that have a version to load; only the first that are any count. */
  begin(models: readonly string[]): void {
    if (this.#waiting || models.length === 0) return;
    this.#waiting = new Set(models);
    this.#until = this.#clock.now() + this.#limitMs;
  }

  isWaitingFor(model: string): boolean {
    return this.#waiting?.has(model) ?? false;
  }

  /** A model came through. */
  through(model: string): void {
    this.#waiting?.delete(model);
  }

  /** Names of those that are still waited for. */
  get waiting(): readonly string[] {
    if (this.#clock.now() >= this.#until) this.#waiting?.clear();
    return [...(this.#waiting ?? [])];
  }
}
