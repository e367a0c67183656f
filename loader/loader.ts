import pLimit from 'p-limit';
import { isAvailable } from '../contract/catalog.ts';
import { hasCode, KedgeError } from '../contract/errors.ts';
import type { Rollout } from '../contract/rollout.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { BucketReader } from './bucket-reader.ts';
import { modelsOf } from './bucket-view.ts';
import { BucketWatch } from './bucket-watch.ts';
import { rolloutOf, withRollout } from './catalog-edit.ts';
import { CatalogKeeper } from './catalog-keeper.ts';
import { checkServed } from './check-served.ts';
import { Conditions, type Problem } from './conditions.ts';
import type { LoaderConfig } from './config.ts';
import { judgedByOf } from './judged-by.ts';
import type { LoaderMetrics } from './metrics.ts';
import { ModelContracts } from './model-contract.ts';
import { type Action, type ModelSight, plan } from './plan.ts';
import { hasten } from './settle.ts';
import { type TakenVolume, takeVolume } from './take-volume.ts';
import { type OnStep, readCatalog } from './volume.ts';
import { Work } from './work.ts';

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

const NOTHING: ReadonlySet<number> = new Set();

/** The parts that exist while the lock is held. */
interface Running {
  keeper: CatalogKeeper;
  watch: BucketWatch;
  work: Work;
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
 * The loop looks at the bucket and sleeps. It never waits for a version: those are under way beside it, each settles by itself,
 * and after each the plan is made again.
 */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #conditions: Conditions;
  /** Ends everything: the signal of the caller, or what cannot be mended. */
  readonly #stop = new AbortController();
  #state: LoaderState = 'waiting-for-lock';
  #running: Running | undefined;
  #lastTick: number;
  #looking = false;
  #planning = false;
  #vouches = false;
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
    return this.#vouches;
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
    await this.#holdingLock(signal, Infinity, async ({ watch, work }) => {
      while (!this.#stop.signal.aborted) {
        await this.#look(watch);
        await work.flush();
        this.#plan();
        const now = this.#options.clock.now();
        await this.#options.clock.sleep(Math.max(Math.min(watch.nextAt, work.nextAt(now)) - now, 1), this.#stop.signal);
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
    const lockUntil = clock.now() + config.lockStaleMs * 2;
    await this.#holdingLock(signal, lockUntil, async ({ watch, work, keeper }) => {
      while (!watch.complete) {
        await this.#look(watch);
        this.#throwProblem('index', 'listing');
        if (!watch.complete) await clock.sleep(Math.max(watch.nextAt - clock.now(), 1), this.#stop.signal);
        this.#stop.signal.throwIfAborted();
      }
      while (this.#plan() || !work.idle) await work.settled();
      await this.#vouch();
      this.#throwProblem('catalog', 'volume');
      this.#stop.signal.throwIfAborted();
      checkServed(keeper.models, watch);
    });
    if (signal.aborted) throw new KedgeError('model-not-ready', 'The sync was ended before it was complete.');
  }

  async #holdingLock(signal: AbortSignal, lockUntil: number, body: (running: Running) => Promise<void>): Promise<void> {
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

  #begin({ volume, recovered }: TakenVolume): Running {
    const { config, clock, random, log, metrics, store } = this.#options;
    const { models, generation, orphans } = recovered;
    metrics.lockHeld.set(1);
    this.#enter('syncing');
    this.#vouches = models.some(({ versions }) => versions.some(isAvailable));
    const keeper = new CatalogKeeper({ volume, clock, metrics, models, generation });
    const reader = new BucketReader(store);
    const watch = new BucketWatch({
      ...{ reader, clock, random, metrics, pollMs: config.pollMs, listMs: config.listMs },
      conditions: this.#conditions,
      onRollout: (model, rollout) => this.#onRollout(model, rollout),
      onProgress: () => this.#tick(),
    });
    const contracts = new ModelContracts(reader, log);
    const [fetching, probing] = [pLimit(config.concurrency), pLimit(config.concurrency)];
    const work = new Work({
      ...{ keeper, watch, signal: this.#stop.signal, conditions: this.#conditions },
      services: { reader, contracts, volume, config, metrics, clock, random, log, fetching, probing },
      onSettled: () => this.#planSoon(),
      onFatal: (error) => this.#onFatal(error),
    });
    this.#running = { keeper, watch, work };
    work.start(orphans.map((version) => ({ kind: 'adopt', ...version })));
    return this.#running;
  }

  async #end(taken: TakenVolume | undefined): Promise<void> {
    await this.#running?.work.settled();
    if (!this.#fatal) await this.#running?.work.flush().catch(() => undefined);
    await taken?.lock.release();
    this.#options.metrics.lockHeld.set(0);
    this.#enter('stopped');
  }

  async #look(watch: BucketWatch): Promise<void> {
    this.#tick();
    this.#looking = true;
    this.#showState();
    const failed = watch.failing;
    const { listings } = watch;
    try {
      await watch.look(this.#stop.signal);
    } finally {
      this.#looking = false;
    }
    if (watch.listings > listings) await this.#running!.work.checkVolume();
    if (failed && !watch.failing) this.#running!.keeper.edit((models) => hasten(models, this.#options.clock.now()));
  }

  #onRollout(model: string, rollout: Rollout): void {
    const { keeper } = this.#running!;
    if (JSON.stringify(rollout) === JSON.stringify(rolloutOf(keeper.models, model))) return;
    keeper.edit((models) => withRollout(models, model, rollout));
    this.#options.log.info({ model, rollout }, `${model} has a new rollout.`);
  }

  /** After everything that ended in this turn of the event loop, so that a hundred ends make one plan. */
  #planSoon(): void {
    if (this.#planning) return;
    this.#planning = true;
    setImmediate(() => {
      this.#planning = false;
      this.#plan();
    });
  }

  /** @returns whether anything was started */
  #plan(): boolean {
    const { config, clock } = this.#options;
    if (!this.#running || this.#stop.signal.aborted) return false;
    const now = clock.now();
    const sights = this.#sights(now);
    const actions = plan(sights, { ...config, judgedBy: judgedByOf(config) }, now);
    this.#running.work.start(actions);
    if (!this.#vouches && this.#running.watch.complete && !sights.some((sight) => isAwaited(sight, actions)))
      void this.#vouch();
    this.#showState();
    return actions.length > 0;
  }

  #sights(now: number): ModelSight[] {
    const { watch, keeper, work } = this.#running!;
    const known = new Map(keeper.models.map((model) => [model.name, model]));
    const busy = work.busy(now);
    return [...new Set([...modelsOf(watch.view), ...known.keys()])]
      .filter((name) => known.get(name)?.rollout !== undefined || !watch.isRolloutUnread(name))
      .map((name) => ({
        name,
        versions: watch.versions(name),
        entries: known.get(name)?.versions ?? [],
        rollout: known.get(name)?.rollout,
        busy: busy.get(name) ?? NOTHING,
        lost: work.lost(name),
        groupOf: (view) => work.groupOf(name, view),
        listed: watch.view.whole,
      }));
  }

  /** The first sync is done: an empty catalog is one, too. */
  async #vouch(): Promise<void> {
    const { keeper, work } = this.#running!;
    if (keeper.generation === undefined) keeper.touch();
    await work.flush().catch((error: unknown) => this.#onFatal(error as KedgeError));
    if (keeper.generation !== undefined && !this.#conditions.has('catalog')) this.#vouches = true;
  }

  #throwProblem(...names: string[]): void {
    for (const name of names) {
      const error = this.#conditions.all.get(name)?.error;
      if (error !== undefined && !hasCode(error, 'document-invalid')) throw error;
    }
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
    if (!this.#running || this.#state === 'stopped') return;
    const { work, watch } = this.#running;
    if (this.#looking || !work.idle) this.#enter('syncing');
    else this.#enter(watch.failing || work.failing ? 'backing-off' : 'idle');
  }

  #enter(state: LoaderState): void {
    const { metrics, log } = this.#options;
    if (this.#state !== state) log.debug({ from: this.#state, to: state }, 'state');
    this.#state = state;
    for (const each of LOADER_STATES) metrics.state.set({ state: each }, each === state ? 1 : 0);
  }
}

/** Something may still come of a model that has nothing to serve. */
function isAwaited({ name, entries, busy }: ModelSight, actions: readonly Action[]): boolean {
  if (entries.some(isAvailable)) return false;
  const begun = actions.some(({ model, kind }) => model === name && (kind === 'fetch' || kind === 'peek'));
  const unfetched = entries.some(
    (entry) => !isAvailable(entry) && entry.reasons.some(({ code }) => code === 'fetch-failed'),
  );
  return begun || busy.size > 0 || unfetched;
}
