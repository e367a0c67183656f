import pLimit from 'p-limit';
import { isAvailable } from '../contract/catalog.ts';
import { hasCode, type KedgeError } from '../contract/errors.ts';
import type { Rollout } from '../contract/rollout.ts';
import { BucketReader } from './bucket-reader.ts';
import { BucketWatch } from './bucket-watch.ts';
import { rolloutOf, withRollout } from './catalog-edit.ts';
import { CatalogKeeper } from './catalog-keeper.ts';
import { checkServed } from './check-served.ts';
import type { Conditions } from './conditions.ts';
import { judgedByOf } from './judged-by.ts';
import type { LoaderOptions } from './loader.ts';
import { ModelContracts } from './model-contract.ts';
import { plan } from './plan.ts';
import { hasten } from './settle.ts';
import { isAwaited, sightsOf } from './sights.ts';
import type { TakenVolume } from './take-volume.ts';
import { Work } from './work.ts';

interface SyncOptions extends LoaderOptions {
  conditions: Conditions;
  signal: AbortSignal;
  /** Told when something moved. */
  onTick: () => void;
  /** Told whenever {@link Sync.state} may be another. */
  onState: () => void;
  onFatal: (error: KedgeError) => void;
}

/**
 * Looks at the bucket, plans, and has the plan done, while the lock of the volume is held. It never waits for a version: those are under
 * way beside it, each settles by itself, and after each the plan is made again.
 */
export class Sync {
  readonly #options: SyncOptions;
  readonly #keeper: CatalogKeeper;
  readonly #watch: BucketWatch;
  readonly #work: Work;
  #looking = false;
  #planning = false;
  #vouches: boolean;

  constructor({ volume, recovered }: TakenVolume, options: SyncOptions) {
    const { config, clock, random, log, metrics, store, conditions, signal, onTick, onFatal } = options;
    const { models, generation, orphans } = recovered;
    this.#options = options;
    this.#vouches = models.some(({ versions }) => versions.some(isAvailable));
    this.#keeper = new CatalogKeeper({ volume, clock, metrics, models, generation });
    const reader = new BucketReader(store);
    this.#watch = new BucketWatch({
      ...{ reader, clock, random, metrics, conditions, pollMs: config.pollMs, listMs: config.listMs },
      onRollout: (model, rollout) => this.#onRollout(model, rollout),
      onProgress: onTick,
    });
    const contracts = new ModelContracts(reader, log);
    const [fetching, probing] = [pLimit(config.concurrency), pLimit(config.concurrency)];
    this.#work = new Work({
      ...{ keeper: this.#keeper, watch: this.#watch, signal, conditions, onFatal },
      services: { reader, contracts, volume, config, metrics, clock, random, log, fetching, probing },
      onSettled: () => this.#planSoon(),
    });
    this.#work.start(orphans.map((version) => ({ kind: 'adopt', ...version })));
  }

  /** The catalog on the volume is one that this loader vouches for, and says all there is to serve now. Stays true. */
  get vouches(): boolean {
    return this.#vouches;
  }

  get state(): 'syncing' | 'idle' | 'backing-off' {
    if (this.#looking || !this.#work.idle) return 'syncing';
    return this.#watch.failing || this.#work.failing ? 'backing-off' : 'idle';
  }

  /** One turn of the loop. @returns when the next is due, in milliseconds since the epoch */
  async turn(): Promise<number> {
    await this.#look();
    await this.#work.flush();
    this.#plan();
    return Math.min(this.#watch.nextAt, this.#work.nextAt(this.#options.clock.now()));
  }

  /**
   * Looks until all is known, and does all that is to be done, but no second try of what failed.
   * @throws KedgeError `bucket-unreachable`, `volume-failed`, `model-not-ready`; what the signal was aborted with
   */
  async whole(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!this.#watch.complete) {
      await this.#look();
      this.#throwProblem('index', 'listing');
      if (!this.#watch.complete) await clock.sleep(Math.max(this.#watch.nextAt - clock.now(), 1), signal);
      signal.throwIfAborted();
    }
    while (this.#plan() || !this.#work.idle) await this.#work.settled();
    await this.#vouch();
    this.#throwProblem('catalog', 'volume');
    signal.throwIfAborted();
    checkServed(this.#keeper.models, this.#watch);
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#work.settled();
  }

  /** Writes what is still to be written. @throws KedgeError `volume-locked` */
  flush(): Promise<void> {
    return this.#work.flush();
  }

  async #look(): Promise<void> {
    const { clock, signal, onTick, onState } = this.#options;
    onTick();
    this.#looking = true;
    onState();
    const failed = this.#watch.failing;
    const { listings } = this.#watch;
    try {
      await this.#watch.look(signal);
    } finally {
      this.#looking = false;
    }
    if (this.#watch.listings > listings) await this.#work.checkVolume();
    if (failed && !this.#watch.failing) this.#keeper.edit((models) => hasten(models, clock.now()));
  }

  #onRollout(model: string, rollout: Rollout): void {
    if (JSON.stringify(rollout) === JSON.stringify(rolloutOf(this.#keeper.models, model))) return;
    this.#keeper.edit((models) => withRollout(models, model, rollout));
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
    const { config, clock, signal, onState } = this.#options;
    if (signal.aborted) return false;
    const now = clock.now();
    const sights = sightsOf({ watch: this.#watch, keeper: this.#keeper, work: this.#work }, now);
    const actions = plan(sights, { ...config, judgedBy: judgedByOf(config) }, now);
    this.#work.start(actions);
    if (!this.#vouches && this.#watch.complete && !sights.some((sight) => isAwaited(sight, actions)))
      void this.#vouch();
    onState();
    return actions.length > 0;
  }

  /** The first sync is done: an empty catalog is one, too. */
  async #vouch(): Promise<void> {
    if (this.#keeper.generation === undefined) this.#keeper.touch();
    await this.#work.flush().catch((error: unknown) => this.#options.onFatal(error as KedgeError));
    if (this.#keeper.generation !== undefined && !this.#options.conditions.has('catalog')) this.#vouches = true;
  }

  #throwProblem(...names: string[]): void {
    for (const name of names) {
      const error = this.#options.conditions.all.get(name)?.error;
      if (error !== undefined && !hasCode(error, 'document-invalid')) throw error;
    }
  }
}
