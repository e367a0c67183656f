import { isAvailable } from '../contract/catalog.ts';
import { KedgeError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { Conditions, type Problem } from './conditions.ts';
import type { LoaderConfig } from './config.ts';
import type { LoaderMetrics } from './metrics.ts';
import { Sync } from './sync.ts';
import { type TakenVolume, takeVolume } from './take-volume.ts';
import { type OnStep, readCatalog } from './volume.ts';

const LOADER_STATES = ['waiting-for-lock', 'syncing', 'idle', 'backing-off', 'stopped'] as const;
export type LoaderState = (typeof LOADER_STATES)[number];

export interface LoaderOptions {
  config: LoaderConfig;
  store: ObjectStore;
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  log: Log;
  metrics: LoaderMetrics;
  /** Told at each place where a crash would leave the volume in another state. */
  onStep?: OnStep;
}

/**
 * Keeps the volume in step with the bucket.
 *
 * States, changed in {@link Loader.#enter} alone:
 * - `waiting-for-lock`: another loader holds the volume, or the volume cannot be written. Nothing is read or written. From here
 *   to `syncing` once the lock is taken.
 * - `syncing`: the volume is recovered, the bucket is looked at, or some version is under way. To `idle` or `backing-off` when
 *   nothing is.
 * - `idle`: the bucket was seen, and nothing is to be done until the next look. To `syncing` at it.
 * - `backing-off`: the bucket does not answer, or the volume cannot be written; what is on the volume stays and serves. To
 *   `syncing` at the next try.
 * - `stopped`: ended by its signal or by the loss of the lock, from any state; the lock is released.
 *
 * What goes on while the lock is held is told by {@link Sync}.
 */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #conditions: Conditions;
  /** Ends everything: the signal of the caller, or what cannot be mended. */
  readonly #stop = new AbortController();
  #state: LoaderState = 'waiting-for-lock';
  #sync: Sync | undefined;
  #lastTick: number;
  #fatal: KedgeError | undefined;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#conditions = new Conditions(options.log, options.metrics);
    this.#lastTick = options.clock.now();
    this.#enter('waiting-for-lock');
  }

  get state(): LoaderState {
    return this.#state;
  }

  /** When the loop last showed that it moves, in milliseconds since the epoch. */
  get lastTick(): number {
    return this.#lastTick;
  }

  /** The catalog on the volume is one that this loader vouches for, and says all there is to serve now. Stays true. */
  get vouches(): boolean {
    return this.#sync?.vouches ?? false;
  }

  get problems(): ReadonlyMap<string, Problem> {
    return this.#conditions.all;
  }

  /** Whether another loader, which this one waits for, has a catalog with something to serve on the volume. */
  async othersVouch(): Promise<boolean> {
    if (this.#state !== 'waiting-for-lock') return false;
    const read = await readCatalog(this.#options.config.volume).catch(() => undefined);
    return read?.status === 'ok' && read.catalog.models.some(({ versions }) => versions.some(isAvailable));
  }

  /**
   * Runs until the signal aborts.
   * @throws KedgeError `volume-locked` when the lock is lost on the way; `volume-failed` when the volume cannot even be read
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    await this.#holdingLock(signal, Infinity, async (sync) => {
      while (!this.#stop.signal.aborted) {
        const nextAt = await sync.turn();
        await clock.sleep(Math.max(nextAt - clock.now(), 1), this.#stop.signal);
      }
    });
  }

  /**
   * One whole sync: the index and a full listing (two, with a rest between, where something may be half-written), then all
   * that is to be done, but no second try of what failed.
   * @throws KedgeError `bucket-unreachable`, `volume-locked`, `volume-failed`; `model-not-ready` where a model that the bucket
   *   has, retired ones apart, has no version on the volume in the end. An empty bucket is good.
   */
  async once(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#options;
    await this.#holdingLock(signal, clock.now() + config.lockStaleMs * 2, (sync) => sync.whole());
    if (signal.aborted) throw new KedgeError('model-not-ready', 'The sync was ended before it was complete.');
  }

  async #holdingLock(signal: AbortSignal, lockUntil: number, body: (sync: Sync) => Promise<void>): Promise<void> {
    const onAbort = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    let taken: TakenVolume | undefined;
    try {
      taken = await takeVolume({
        ...this.#options,
        conditions: this.#conditions,
        until: lockUntil,
        signal: this.#stop.signal,
        onTick: () => this.#tick(),
        onLost: (error) => this.#onFatal(error),
      });
      if (taken) await body(this.#begin(taken));
    } catch (error) {
      // What a stop broke off is no error.
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#stop.abort();
      await this.#end(taken);
      signal.removeEventListener('abort', onAbort);
    }
    if (this.#fatal) throw this.#fatal;
  }

  #begin(taken: TakenVolume): Sync {
    this.#options.metrics.lockHeld.set(1);
    this.#enter('syncing');
    this.#sync = new Sync(taken, {
      ...this.#options,
      conditions: this.#conditions,
      signal: this.#stop.signal,
      onTick: () => this.#tick(),
      onState: () => this.#showState(),
      onFatal: (error) => this.#onFatal(error),
    });
    return this.#sync;
  }

  async #end(taken: TakenVolume | undefined): Promise<void> {
    await this.#sync?.settled();
    if (!this.#fatal) await this.#sync?.flush().catch(() => undefined);
    await taken?.lock.release();
    this.#options.metrics.lockHeld.set(0);
    this.#enter('stopped');
  }

  #onFatal(error: KedgeError): void {
    if (this.#fatal || this.#state === 'stopped') return;
    this.#fatal = error;
    this.#options.log.fatal({ code: error.code }, error.message);
    this.#stop.abort(error);
  }

  #tick(): void {
    this.#lastTick = this.#options.clock.now();
  }

  #showState(): void {
    if (this.#sync && this.#state !== 'stopped') this.#enter(this.#sync.state);
  }

  #enter(state: LoaderState): void {
    const { metrics, log } = this.#options;
    if (this.#state !== state) log.debug({ from: this.#state, to: state }, 'state');
    this.#state = state;
    for (const each of LOADER_STATES) metrics.state.set({ state: each }, each === state ? 1 : 0);
  }
}
