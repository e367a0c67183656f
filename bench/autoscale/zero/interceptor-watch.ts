import type { ProxyStats } from '../../cluster/proxy/proxy.ts';
import type { RunClock } from '../../cluster/run-clock.ts';

export interface InterceptorWatchOptions {
  clock: RunClock;
  /** Seconds of the run's clock from one look to the next. */
  lookSeconds: number;
  proxyStats(): Promise<ProxyStats>;
}

/** Looks are never closer together than this, on the wall: in compressed time they would keep the machine busy. */
const LEAST_MS = 20;

/** Counts requests in front of the pods as the interceptor of KEDA's HTTP add-on does, from one look to the next: those that it holds, and those under way in a pod. */
export class InterceptorWatch {
  readonly #options: InterceptorWatchOptions;
  readonly #held: [at: number, count: number][] = [];
  #pending: number | undefined;

  constructor(options: InterceptorWatchOptions) {
    this.#options = options;
  }

  /** Requests held and under way at the last look. */
  get pending(): number | undefined {
    return this.#pending;
  }

  /** Requests held at the last look. */
  get held(): number {
    return this.#held.at(-1)?.[1] ?? 0;
  }

  /** How many were held, at each look that saw another number than the one before, in seconds of the run's clock. */
  get series(): readonly (readonly [at: number, count: number])[] {
    return this.#held;
  }

  /** Looks once in each period until the signal aborts. @param onLook told after each */
  async run(signal: AbortSignal, onLook: () => void): Promise<void> {
    const { clock, lookSeconds } = this.#options;
    const pause = Math.max(lookSeconds, (LEAST_MS / 1_000) * clock.compression);
    while (!signal.aborted) {
      if (await this.look()) onLook();
      await clock.sleep(pause, signal);
    }
  }

  /** @returns whether the proxy answered */
  async look(): Promise<boolean> {
    const stats = await this.#options.proxyStats().catch(() => undefined);
    if (!stats) return false;
    const held = stats.holding?.now ?? 0;
    this.#pending = Object.values(stats.pods).reduce((sum, { open }) => sum + open, held);
    if (held !== this.held) this.#held.push([this.#options.clock.now(), held]);
    return true;
  }
}
