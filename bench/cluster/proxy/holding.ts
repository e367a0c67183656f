import type { Exchange } from './exchange.ts';

/** How requests are held while no pod is ready; what is absent bounds nothing. */
export interface HoldingTerms {
  /** Most requests held; further ones are answered with 503. */
  maxPending?: number | undefined;
  /** Milliseconds of the wall until a held request is answered with 504. */
  readinessMs?: number | undefined;
}

/** From the first request that came while no pod was ready until one was. Milliseconds on the clock that was passed in. */
export interface Waking {
  at: number;
  /** When a pod was ready; absent: none was yet. */
  ready?: number;
  /** When the first answer of a pod to a request that was held was out. */
  answered?: number;
  /** Requests that were held. */
  held: number;
}

export interface HoldingStats {
  now: number;
  /** At one time. */
  most: number;
  /** Answered with 503, as too many were held. */
  rejected: number;
  /** Answered with 504, as no pod was ready in time. */
  expired: number;
  /** In order of time. */
  wakings: readonly Waking[];
}

/**
 * Requests that came while no pod was ready, as the interceptor of KEDA's HTTP add-on holds them.
 *
 *   held ── a pod is ready ──> released, all of them, in the order in which they came
 *     └── client gone, no pod ready in time ──> over
 */
export class Holding {
  readonly #terms: HoldingTerms;
  readonly #now: () => number;
  /** What ends each that is held: it is released, or it is over. */
  readonly #held = new Map<Exchange, { release(): void }>();
  readonly #wakings: Waking[] = [];
  #most = 0;
  #rejected = 0;
  #expired = 0;

  /** @param now milliseconds, on a clock that whoever asks for stats has too */
  constructor(terms: HoldingTerms, now: () => number) {
    this.#terms = terms;
    this.#now = now;
  }

  stats(): HoldingStats {
    const [most, rejected, expired] = [this.#most, this.#rejected, this.#expired];
    return { now: this.#held.size, most, rejected, expired, wakings: this.#wakings };
  }

  /** @param go sends it on, once a pod is ready */
  hold(exchange: Exchange, go: () => void): void {
    const { maxPending = Number.POSITIVE_INFINITY, readinessMs } = this.#terms;
    if (this.#held.size >= maxPending) {
      this.#rejected += 1;
      exchange.answer(503, `no pod is ready, and ${maxPending} requests are held already`);
      return;
    }
    const waking = this.#waking();
    waking.held += 1;
    const expire = (): void => {
      leave();
      this.#expired += 1;
      exchange.answer(504, `no pod was ready within ${readinessMs! / 1_000} s`);
    };
    const timer = readinessMs === undefined ? undefined : setTimeout(expire, readinessMs);
    const leave = (): void => {
      clearTimeout(timer);
      exchange.outgoing.off('close', leave);
      this.#held.delete(exchange);
    };
    const release = (): void => {
      leave();
      exchange.outgoing.once('finish', () => this.#answered(waking, exchange));
      go();
    };
    exchange.outgoing.once('close', leave);
    this.#held.set(exchange, { release });
    this.#most = Math.max(this.#most, this.#held.size);
  }

  /** A pod is ready. */
  release(): void {
    const waking = this.#wakings.at(-1);
    if (waking && waking.ready === undefined) waking.ready = this.#now();
    for (const { release } of [...this.#held.values()]) release();
  }

  #waking(): Waking {
    const last = this.#wakings.at(-1);
    if (last && last.ready === undefined) return last;
    const next: Waking = { at: this.#now(), held: 0 };
    this.#wakings.push(next);
    return next;
  }

  /** What a pod refused is an answer of it too; what the proxy says itself is none. */
  #answered(waking: Waking, { outgoing }: Exchange): void {
    if (outgoing.statusCode < 500) waking.answered ??= this.#now();
  }
}
