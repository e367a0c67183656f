import { isAvailable } from '../contract/catalog.ts';
import { hasCode, KedgeError, messageOf } from '../contract/errors.ts';
import type { VersionView } from './bucket-view.ts';
import type { BucketWatch } from './bucket-watch.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import type { Conditions } from './conditions.ts';
import { Holds } from './holds.ts';
import type { Services } from './services.ts';
import { type Task, Tasks } from './tasks.ts';
import { VolumeCheck } from './volume-check.ts';

export interface WorkOptions {
  services: Services;
  keeper: CatalogKeeper;
  watch: BucketWatch;
  conditions: Conditions;
  /** Told whenever something was finished, so that the next thing can be planned. */
  onSettled: () => void;
  /** Told once of what no later try can mend: the lock is lost. */
  onFatal: (error: KedgeError) => void;
  signal: AbortSignal;
}

const keyOf = ({ model, version }: Task): string => `${model}/${version}`;

/**
 * Does what the plan says, many versions side by side. One thing at a time is under way for a version, and no version waits for
 * another: each is settled in the catalog, and the catalog written, as soon as it is known what becomes of it. What goes wrong for
 * reasons of the bucket or the volume is left alone for a while.
 */
export class Work {
  readonly #options: WorkOptions;
  readonly #tasks: Tasks;
  readonly #check: VolumeCheck;
  readonly #holds: Holds;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: WorkOptions) {
    const { keeper, services } = options;
    this.#options = options;
    this.#check = new VolumeCheck(keeper, services);
    this.#tasks = new Tasks({ ...options, check: this.#check });
    this.#holds = new Holds(services.clock, services.random);
  }

  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Nothing can be brought onto the volume now, or the catalog not written. */
  get failing(): boolean {
    return this.#holds.forVolume || this.#options.conditions.has('catalog');
  }

  /** When, after now, something that was left alone may be tried again; Infinity if there is no such thing. */
  nextAt(now: number): number {
    let next = this.#holds.nextAt(now);
    for (const { versions } of this.#options.keeper.models) {
      for (const entry of versions) {
        const at = isAvailable(entry) || entry.retryAt === undefined ? 0 : Date.parse(entry.retryAt);
        if (at > now) next = Math.min(next, at);
      }
    }
    return next;
  }

  /** Versions that are to be left alone, by model. */
  busy(now: number): Map<string, Set<number>> {
    const busy = new Map<string, Set<number>>();
    for (const key of [...this.#running.keys(), ...this.#holds.keys(now), ...this.#options.keeper.leaving]) {
      const [model, version] = key.split('/') as [string, string];
      const own = busy.get(model) ?? new Set();
      busy.set(model, own.add(Number(version)));
    }
    return busy;
  }

  /** Looks whether the volume still has what was put on it; what is missing comes again with the next plans. */
  checkVolume(): Promise<void> {
    return this.#check.look();
  }

  /** Versions of a model that are in the catalog and not on the volume. */
  lost(model: string): Set<number> {
    return this.#check.lost(model);
  }

  /** The code that a version needs, once its manifest was read. */
  groupOf(model: string, view: VersionView): string | undefined {
    return this.#tasks.groupOf(model, view);
  }

  /** Starts what the plan says, and forgets holds of what it does not want any more. */
  start(tasks: readonly Task[]): void {
    for (const task of tasks) this.#start(task);
    this.#holds.expire((key) => this.#running.has(key));
    // Nobody tries again what the volume would not take, so whether it would now is tried with the catalog.
    if (this.#options.conditions.has('volume') && !this.#holds.forVolume) this.#options.keeper.touch();
  }

  /** Resolves when all that is under way has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Writes what is still to be written. @throws KedgeError `volume-locked` */
  async flush(): Promise<void> {
    const { keeper, conditions } = this.#options;
    if (keeper.inStep) return;
    try {
      await keeper.flush();
      conditions.clear('catalog');
      if (!this.#holds.forVolume) conditions.clear('volume');
    } catch (error) {
      if (hasCode(error, 'volume-failed')) conditions.raise('catalog', error);
      else throw error;
    }
  }

  #start(task: Task): void {
    const key = keyOf(task);
    const run = this.#run(task)
      .catch((error: unknown) => this.#onError(task, error))
      .then(() => {
        this.#running.delete(key);
        this.#options.onSettled();
      });
    this.#running.set(key, run);
  }

  async #run(task: Task): Promise<void> {
    await this.#tasks.run(task);
    this.#holds.release(keyOf(task));
    await this.flush();
  }

  #onError(task: Task, error: unknown): void {
    const { signal, conditions, services, watch, onFatal } = this.#options;
    const { model, version, kind } = task;
    if (signal.aborted) return;
    if (hasCode(error, 'volume-locked')) {
      onFatal(error);
      return;
    }
    const volume = hasCode(error, 'volume-failed');
    if (volume) conditions.raise('volume', error);
    else if (hasCode(error, 'object-changed') || hasCode(error, 'object-missing')) watch.listSoon();
    else if (!(error instanceof KedgeError))
      services.log.error({ model, version, kind, err: error }, `unexpected: ${messageOf(error)}`);
    this.#holds.add(keyOf(task), { volume });
  }
}
