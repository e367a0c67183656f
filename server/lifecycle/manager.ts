import { admit, type ServerCode } from '../../contract/admission.ts';
import { type Catalog, type CatalogAvailable, type CatalogModel, isAvailable } from '../../contract/catalog.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { placeVersion } from '../placement.ts';
import { type LoadWish, pickLoads } from './load-order.ts';
import { type Action, nextActions, nextRetry, type PolicyOptions } from './policy.ts';
import { ServedModel } from './served-model.ts';
import { ServedVersion } from './served-version.ts';

export interface ManagerOptions {
  /** Absolute root of the volume. */
  volume: string;
  engines: Readonly<Record<'inline' | 'host', Engine>>;
  engineMode: 'auto' | 'inline' | 'host';
  code: ServerCode;
  keepReady: number;
  loadRetries: number;
  parallelLoads: number;
  clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  random: () => number;
  log: Log;
}

const RETRY = { baseMs: 1_000, maxMs: 300_000 };

interface Wish extends LoadWish {
  version: ServedVersion;
}

/**
 * Holds what the server serves in step with the catalog: asks the policy what to do next for a model whenever something of
 * it changed, and does it. All of it runs on one event loop and nothing between a question and its actions waits, so a
 * request never sees a half-made change.
 */
export class VersionManager {
  readonly #options: ManagerOptions;
  readonly #models = new Map<string, ServedModel>();
  readonly #wishes = new Map<string, Wish[]>();
  readonly #changed = new Set<ServedModel>();
  readonly #loads = new Set<Promise<void>>();
  /** Who waits until nothing of a model is on its way. */
  readonly #waiters = new Map<ServedModel, PromiseWithResolvers<void>>();
  #retryTimer = new AbortController();
  #retryTimerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  model(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  models(): Iterable<ServedModel> {
    return this.#models.values();
  }

  /** Takes a whole new wanted set. What it does not show any more goes on. */
  update(catalog: Catalog): void {
    if (this.#closed) return;
    const shown = new Set<ServedModel>();
    for (const model of catalog.models) shown.add(this.#updateModel(model));
    for (const model of this.#models.values()) {
      if (!shown.has(model)) for (const version of model.versions) version.vouched = false;
      if (!shown.has(model) && model.isGone && model.versions.length === 0) this.#models.delete(model.name);
      else this.#touch(model);
    }
  }

  /**
   * Takes a model up again after {@link unload}, and tries those of its versions again that were refused or failed. Resolves once nothing of it is
   * on its way. The version that answers does so all the while.
   */
  async reload(name: string): Promise<void> {
    const model = this.#models.get(name);
    if (!model) return;
    model.unloaded = false;
    for (const version of model.versions) {
      if (!version.vouched || (version.state !== 'refused' && version.state !== 'failed')) continue;
      version.rediscover();
      this.#admit(version);
    }
    await this.#settled(model);
  }

  /** Takes a model off this server, as if it were retired, until {@link reload} or a restart. Its requests under way are answered. */
  async unload(name: string): Promise<void> {
    const model = this.#models.get(name);
    if (!model) return;
    model.unloaded = true;
    await this.#settled(model);
  }

  /** Resolves when no load is under way. For tests. */
  async idle(): Promise<void> {
    do await Promise.all([...this.#loads, Promise.resolve()]);
    while (this.#loads.size > 0 || this.#changed.size > 0);
  }

  /** Lets every version finish its requests and releases it. Nothing is loaded any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retryTimer.abort();
    this.#wishes.clear();
    for (const waiter of this.#waiters.values()) waiter.resolve();
    const versions = [...this.#models.values()].flatMap((model) => model.versions);
    for (const version of versions) if (version.isReady) version.drain();
    await Promise.all(this.#loads);
    for (const version of versions) if (version.isReady) version.drain();
    await Promise.all(versions.map((version) => version.drained()));
  }

  #updateModel(catalog: CatalogModel): ServedModel {
    const model = this.#models.get(catalog.name) ?? new ServedModel(catalog);
    this.#models.set(catalog.name, model);
    model.catalog = catalog;
    const available = catalog.versions.filter(isAvailable);
    for (const version of model.versions) {
      const entry = available.find(({ digest }) => digest === version.digest);
      version.vouched = entry !== undefined;
      if (entry) this.#updateVersion(version, entry);
    }
    const known = new Set(model.versions.map(({ digest }) => digest));
    for (const entry of available) if (!known.has(entry.digest)) this.#discover(model, entry);
    return model;
  }

  #updateVersion(version: ServedVersion, entry: CatalogAvailable): void {
    const lookedAgain = entry.since !== version.entry.since;
    version.entry = entry;
    if (!lookedAgain || (version.state !== 'refused' && version.state !== 'failed')) return;
    version.rediscover();
    this.#admit(version);
  }

  #discover(model: ServedModel, entry: CatalogAvailable): void {
    const { volume, clock, engineMode } = this.#options;
    const version = new ServedVersion({
      model: model.name,
      entry,
      volume,
      clock,
      placement: placeVersion(entry, engineMode),
      onChange: (changed, cause) => this.#onChange(model, changed, cause),
    });
    model.versions.push(version);
    this.#admit(version);
  }

  #admit(version: ServedVersion): void {
    const { manifest } = version.entry;
    const reasons = admit({ model: version.model, version: version.version, manifest }, { code: this.#options.code });
    if (reasons.length > 0) version.refuse(reasons);
  }

  #onChange(model: ServedModel, version: ServedVersion, cause: unknown): void {
    if (this.#closed) return;
    const { log } = this.#options;
    const facts = { model: model.name, version: version.version, digest: version.digest, state: version.state };
    for (const { code, message } of version.reasons)
      log.warn({ ...facts, code, cause: causeOf(cause, message) }, message);
    if (version.reasons.length === 0) {
      const level = version.state === 'loading' || version.state === 'warming' ? 'debug' : 'info';
      log[level](facts, `${model.name} version ${version.version} is ${version.state}`);
    }
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
    this.#startLoads();
    for (const model of models) this.#tellWaiter(model);
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
    if (!waiter || this.#wishes.get(model.name)?.length) return;
    if (model.versions.some(({ state }) => state === 'loading' || state === 'warming')) return;
    this.#waiters.delete(model);
    waiter.resolve();
  }

  #stepModel(model: ServedModel): void {
    const { keepReady, loadRetries, clock } = this.#options;
    const options: PolicyOptions = { keepReady, loadRetries, now: clock.now() };
    const view = model.view();
    const wishes: Wish[] = [];
    for (const action of nextActions(view, options)) {
      const version = model.versions.find(({ digest }) => digest === action.id);
      if (action.do === 'load') wishes.push(this.#wish(model, version!, wishes.length));
      else this.#act(model, action, version);
    }
    if (wishes.length > 0) this.#wishes.set(model.name, wishes);
    else this.#wishes.delete(model.name);
    this.#wakeAt(nextRetry(view, options));
  }

  #wish(model: ServedModel, version: ServedVersion, rank: number): Wish {
    return { model: model.name, dark: model.active === undefined, rank, version };
  }

  #act(model: ServedModel, action: Exclude<Action, { do: 'load' }>, version: ServedVersion | undefined): void {
    if (action.do === 'activate') {
      const before = model.active?.version;
      model.active = version;
      this.#options.log.info(
        { model: model.name, version: version?.version, digest: version?.digest, before },
        version ? `${model.name} answers with version ${version.version}` : `${model.name} answers no more`,
      );
    } else if (action.do === 'drain') version!.drain();
    else if (action.do === 'resume') version!.resume();
    else model.versions = model.versions.filter((one) => one !== version);
  }

  #startLoads(): void {
    const free = this.#options.parallelLoads - this.#loads.size;
    for (const { version, model } of pickLoads([...this.#wishes.values()].flat(), free)) {
      this.#wishes.set(
        model,
        this.#wishes.get(model)!.filter((wish) => wish.version !== version),
      );
      version.placement = placeVersion(version.entry, this.#options.engineMode);
      const engine = this.#options.engines[version.placement.engine];
      const load = version
        .load(engine, (failures) => backoffMs(failures - 1, RETRY, this.#options.random()))
        .finally(() => {
          this.#loads.delete(load);
          this.#touch(this.#models.get(model)!);
        });
      this.#loads.add(load);
    }
  }

  /** Steps every model again at that time; only the earliest timer is kept. */
  #wakeAt(time: number | undefined): void {
    if (time === undefined || time >= this.#retryTimerAt) return;
    this.#retryTimer.abort();
    this.#retryTimer = new AbortController();
    this.#retryTimerAt = time;
    const { signal } = this.#retryTimer;
    void this.#options.clock.sleep(Math.max(0, time - this.#options.clock.now()), signal).then(() => {
      if (signal.aborted) return;
      this.#retryTimerAt = Number.POSITIVE_INFINITY;
      for (const model of this.#models.values()) this.#touch(model);
    });
  }
}

/** What lies behind a reason, where the sentence does not say it already. */
function causeOf(cause: unknown, message: string): string | undefined {
  if (cause === undefined || messageOf(cause) === message) return undefined;
  return cause instanceof Error ? cause.stack : String(cause);
}
