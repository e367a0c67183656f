import { setImmediate } from 'node:timers/promises';
import type { ServerCode } from '../../contract/admission.ts';
import { type Catalog, isAvailable } from '../../contract/catalog.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { placeVersion } from '../placement.ts';
import { FirstLoads } from './first-loads.ts';
import { giveUp, victimsFor } from './give-up.ts';
import { LoadQueue } from './load-queue.ts';
import type { PolicyOptions } from './policy.ts';
import { RetryTimer } from './retry-timer.ts';
import type { ServedModel } from './served-model.ts';
import { ServedTable } from './served-table.ts';
import type { ServedVersion } from './served-version.ts';
import { stepModel } from './step-model.ts';
import { tellChange, tellHeldUp } from './tell-change.ts';
import { isThrough } from './wanted.ts';

export interface ManagerOptions {
  /** Absolute root of the volume. */
  volume: string;
  engines: Readonly<Record<'inline' | 'host', Engine>>;
  engineMode: 'auto' | 'inline' | 'host';
  code: ServerCode;
  keepReady: number;
  loadRetries: number;
  parallelLoads: number;
  /** How long a request waits for a lazy model to load, in milliseconds. */
  lazyWaitMs: number;
  /** How long the models of the first catalog keep the server from being ready, in milliseconds. */
  firstLoadsMs: number;
  /** Bytes that all versions together may take; no limit if undefined. */
  memoryBudgetBytes: number | undefined;
  /** Resident bytes of this process. */
  residentBytes: () => number;
  clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  random: () => number;
  log: Log;
}

/** Models that are taken from a catalog before the loop has its turn: each takes tens of microseconds. */
const UPDATE_SLICE = 50;
const RETRY = { baseMs: 1_000, maxMs: 300_000 };

/**
 * Holds what the server serves in step with the catalog: asks the policy what to do next for a model whenever something of
 * it changed, and does it. All of it runs on one event loop and nothing between a question and its actions waits, so a
 * request never sees a half-made change.
 */
export class VersionManager {
  readonly #options: ManagerOptions;
  readonly #table: ServedTable;
  readonly #changed = new Set<ServedModel>();
  readonly #queue: LoadQueue;
  /** Refused because there was no room for them. */
  readonly #roomless = new Set<ServedVersion>();
  /** Who waits until nothing of a model is on its way. */
  readonly #waiters = new Map<ServedModel, PromiseWithResolvers<void>>();
  readonly #firstLoads: FirstLoads;
  readonly #retries: RetryTimer<ServedModel>;
  #newest: Catalog | undefined;
  #closed = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
    const { parallelLoads, memoryBudgetBytes: budgetBytes, residentBytes } = options;
    this.#table = new ServedTable({
      ...options,
      onChange: (...change) => this.#onChange(...change),
      onCold: (model) => {
        if (this.#queue.heldUp.size > 0 && model.rollout?.lazy) this.#touch(model);
      },
    });
    this.#retries = new RetryTimer(options.clock, (model) => this.#touch(model));
    this.#firstLoads = new FirstLoads(options.clock, options.firstLoadsMs);
    this.#queue = new LoadQueue({
      ...{ parallelLoads, budgetBytes, residentBytes },
      load: (version) => this.#load(version),
      victims: (needy) => victimsFor(needy, this.#table.all(), this.memoryOf),
      giveUp: (version) => giveUp(this.#table.get(version.model)!, version, options.log),
      refuse: (version, reasons) => {
        version.refuse(reasons);
        this.#roomless.add(version);
      },
      onHeldUp: (version) => tellHeldUp(options.log, version),
      onRoom: (version) => this.#onRoom(version),
    });
  }

  model(name: string): ServedModel | undefined {
    return this.#table.get(name);
  }

  models(): Iterable<ServedModel> {
    return this.#table.all();
  }

  /** Models of the first catalog that have not come through their first load, as {@link FirstLoads} has it. */
  get firstLoads(): readonly string[] {
    return this.#firstLoads.waiting;
  }

  /** What versions take together, and may take. */
  get memory(): LoadQueue['memory'] {
    return this.#queue.memory;
  }

  /** What a version takes; undefined while nothing of it is loaded. */
  readonly memoryOf = (version: ServedVersion): number | undefined => this.#queue.bytesOf(version);

  /**
   * Waits until a version of a lazy model is loaded; requests for the same one share the load.
   * @param limitMs a shorter time than the server's own that the request has
   * @throws KedgeError `model-not-ready` with the reason
   */
  async wake(version: ServedVersion, limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock, lazyWaitMs } = this.#options;
    const model = this.#table.get(version.model);
    if (!model || this.#closed || version.isReady) return;
    const done = new AbortController();
    const settled = version.demand(1);
    this.#touch(model);
    try {
      await Promise.race([settled, clock.sleep(Math.min(lazyWaitMs, limitMs), done.signal)]);
    } finally {
      done.abort();
      // Not before the request took hold of it, which it does in this turn of the event loop.
      void setImmediate().then(() => {
        void version.demand(-1);
        if (!version.isReady) this.#touch(model);
      });
    }
    if (version.isReady) return;
    const why = version.reasons.map(({ code, message }) => ` (${code}: ${message})`).join('');
    const state = version.reasons.length > 0 ? `is ${version.state}` : 'is still to be loaded';
    const what = this.#queue.heldUp.has(version) ? 'waits for memory that lazy models in use hold' : `${state}${why}`;
    throw new KedgeError('model-not-ready', `${model.name} version ${version.version} ${what}; try again.`);
  }

  /**
   * Takes a whole new wanted set. What it does not show any more goes on. Only what it says otherwise than the set before is acted on, each
   * model in one go, and some models in one turn of the event loop.
   * @returns when all of it is taken, or a newer one came: what is left is for that to take
   */
  async update(catalog: Catalog): Promise<void> {
    if (this.#closed) return;
    this.#firstLoads.begin(catalog.models.filter(({ versions }) => versions.some(isAvailable)).map(({ name }) => name));
    this.#newest = catalog;
    let changes = 0;
    for (const entry of catalog.models) {
      const model = this.#table.take(entry);
      if (!model) continue;
      this.#touch(model);
      changes += 1;
      if (changes % UPDATE_SLICE !== 0) continue;
      await setImmediate();
      if (this.#closed || this.#newest !== catalog) return;
    }
    for (const model of this.#table.hideOthers(new Set(catalog.models.map(({ name }) => name)))) this.#touch(model);
    this.#reviewRoomless();
  }

  /**
   * Takes a model up again after {@link unload}, and tries those of its versions again that were refused or failed; a lazy one is loaded, too.
   * Resolves once nothing of it is on its way. The version that answers does so all the while.
   */
  async reload(name: string): Promise<void> {
    const model = this.#table.get(name);
    if (!model) return;
    model.unloaded = false;
    for (const version of model.versions) {
      if (!version.vouched || (version.state !== 'refused' && version.state !== 'failed')) continue;
      this.#table.reconsider(version);
    }
    await this.#settled(model);
    await this.#loadLazy(model);
  }

  /** Takes a model off this server, as if it were retired, until {@link reload} or a restart. Its requests under way are answered. */
  async unload(name: string): Promise<void> {
    const model = this.#table.get(name);
    if (!model) return;
    model.unloaded = true;
    await this.#settled(model);
  }

  /** Resolves when no load is under way. For tests. */
  async idle(): Promise<void> {
    do await Promise.all([...this.#queue.loads, Promise.resolve()]);
    while (this.#queue.loads.size > 0 || this.#changed.size > 0);
  }

  /** Lets every version finish its requests and releases it. Nothing is loaded any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retries.close();
    this.#queue.clear();
    for (const waiter of this.#waiters.values()) waiter.resolve();
    const versions = [...this.#table.all()].flatMap((model) => model.versions);
    for (const version of versions) if (version.isReady) version.drain();
    await Promise.all(this.#queue.loads);
    for (const version of versions) if (version.isReady) version.drain();
    await Promise.all(versions.map((version) => version.drained()));
  }

  #onChange(model: ServedModel, version: ServedVersion, cause: unknown): void {
    if (version.state !== 'refused') this.#roomless.delete(version);
    this.#queue.note(version);
    if (this.#closed) return;
    tellChange(this.#options.log, version, cause);
    this.#touch(model);
  }

  /** Asks the policy once all that is happening in this turn of the event loop has happened. */
  #touch(model: ServedModel): void {
    if (this.#closed) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#step());
    this.#changed.add(model);
  }

  #step(): void {
    const models = [...this.#changed];
    this.#changed.clear();
    if (this.#closed) return;
    for (const model of models) this.#stepModel(model);
    this.#queue.grant();
    for (const model of models) this.#tellWaiter(model);
  }

  /** As a request for it would, but however long that takes, unless there is no room for it yet. */
  async #loadLazy(model: ServedModel): Promise<void> {
    const target = model.active ? undefined : model.wakeTarget;
    if (!target || this.#closed) return;
    void target.demand(1);
    await this.#settled(model);
    void target.demand(-1);
    await this.#settled(model);
  }

  #settled(model: ServedModel): Promise<void> {
    const waiter = this.#waiters.get(model) ?? Promise.withResolvers<void>();
    if (this.#closed) waiter.resolve();
    else this.#waiters.set(model, waiter);
    this.#touch(model);
    return waiter.promise;
  }

  #tellWaiter(model: ServedModel): void {
    const waiter = this.#waiters.get(model);
    if (!waiter || this.#queue.isWaiting(model.name)) return;
    if (model.versions.some(({ state }) => state === 'loading' || state === 'warming')) return;
    this.#waiters.delete(model);
    waiter.resolve();
  }

  #stepModel(model: ServedModel): void {
    const { keepReady, loadRetries, clock, log } = this.#options;
    const options: PolicyOptions = { keepReady, loadRetries, now: clock.now() };
    const { wishes, retryAt } = stepModel(model, options, log);
    this.#queue.wish(model.name, wishes);
    this.#retries.set(model, retryAt);
    if (this.#firstLoads.isWaitingFor(model.name) && isThrough(model.view(), options))
      this.#firstLoads.through(model.name);
  }

  #load(version: ServedVersion): Promise<void> {
    const { engines, engineMode, random } = this.#options;
    version.placement = placeVersion(version.entry, engineMode);
    return version.load(engines[version.placement.engine], (failures) => backoffMs(failures - 1, RETRY, random()));
  }

  #onRoom(version: ServedVersion): void {
    const model = this.#table.get(version.model);
    if (model) this.#touch(model);
    this.#reviewRoomless();
  }

  /** Those there is room for now are candidates again. */
  #reviewRoomless(): void {
    if (this.#closed) return;
    for (const version of this.#roomless) {
      if (version.state !== 'refused') this.#roomless.delete(version);
      else if (version.vouched && this.#queue.hasRoom(version)) this.#table.reconsider(version);
    }
  }
}
