import { KedgeError } from '../../../contract/errors.ts';

/**
 * What a pod is declared to be able to do, where all share the cores of one machine: so many requests a second, or so many at the same time of
 * which each takes a time.
 */
export type Capacity = { perSecond: number } | { slots: number; serviceMs: number };

/**
 * @param text `50/s`, or `4` for four at a time
 * @param serviceMs how long each takes where they are counted
 * @throws KedgeError `config-invalid`
 */
export function parseCapacity(text: string, serviceMs: number): Capacity {
  const [, number, perSecond] = /^(\d+(?:\.\d+)?)(\/s)?$/.exec(text) ?? [];
  const value = Number(number);
  if (perSecond && value > 0) return { perSecond: value };
  if (Number.isInteger(value) && value > 0 && serviceMs > 0) return { slots: value, serviceMs };
  throw new KedgeError(
    'config-invalid',
    `--capacity must be a rate such as 50/s, or a number of requests at a time such as 4 with --service-ms over 0, not '${text}'.`,
  );
}

/**
 * The queue of a pod of declared capacity: first come, first served. Time is passed in, in milliseconds.
 *
 *   entered ── its turn ──> begun ── leave ──> left
 *      └── leave ──> left (it gave up, or its pod is gone)
 */
export class CapacityQueue {
  readonly #capacity: Capacity | undefined;
  readonly #waiting = new Set<() => void>();
  #busy = 0;
  /** When the next request may begin. */
  #next = Number.NEGATIVE_INFINITY;

  /** @param capacity unlimited if undefined */
  constructor(capacity: Capacity | undefined) {
    this.#capacity = capacity;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `begin` is called by {@link advance} when its turn has come. */
  enter(begin: () => void): void {
    this.#waiting.add(begin);
  }

  /** Has all begin whose turn has come. @returns milliseconds until it should be called again; undefined: not before someone enters or leaves */
  advance(now: number): number | undefined {
    for (const begin of this.#waiting) {
      const waitMs = this.#waitOf(now);
      if (waitMs !== 0) return waitMs;
      this.#waiting.delete(begin);
      this.#busy += 1;
      begin();
    }
    return undefined;
  }

  /** A request is over, whether it had begun or not. */
  leave(begin: () => void): void {
    if (!this.#waiting.delete(begin)) this.#busy -= 1;
  }

  #waitOf(now: number): number | undefined {
    if (!this.#capacity) return 0;
    if ('slots' in this.#capacity) return this.#busy < this.#capacity.slots ? 0 : undefined;
    if (now < this.#next) return this.#next - now;
    // What was not used is not saved up: a server that idled is not faster afterwards. But a late timer is no idle server.
    const period = 1_000 / this.#capacity.perSecond;
    this.#next = Math.max(this.#next + period, now);
    return 0;
  }
}
