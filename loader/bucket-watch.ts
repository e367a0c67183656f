import pLimit from 'p-limit';
import { hasCode, KedgeError } from '../contract/errors.ts';
import type { Rollout } from '../contract/rollout.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { BucketReader } from './bucket-reader.ts';
import {
  applyIndex,
  applyListing,
  applyVersionListing,
  type BucketView,
  emptyView,
  hasUnrested,
  rolloutMark,
  unlistedVersions,
  type VersionView,
  versionsOf,
} from './bucket-view.ts';
import type { Conditions } from './conditions.ts';
import type { LoaderMetrics } from './metrics.ts';

export interface WatchOptions {
  reader: BucketReader;
  pollMs: number;
  listMs: number;
  clock: Clock;
  /** In [0, 1), for jitter, so that many loaders do not ask in step. */
  random: () => number;
  conditions: Conditions;
  metrics: LoaderMetrics;
  /** Told of each rollout that was read, also when it is the same. */
  onRollout: (model: string, rollout: Rollout) => void;
  /** Told when something came in, so that a long listing is not taken for a loop that stands still. */
  onProgress: () => void;
}

/** How long a file of a bucket that may tear must rest at least. Shorter than most listings, so that drops are taken up soon. */
const REST_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
const ROLLOUTS_AT_ONCE = 8;

/**
 * Looks at the bucket: the index often, the whole listing seldom, a rollout when either shows that it changed. What fails is
 * told as a condition and tried again after a pause that grows; what was seen before stays.
 */
export class BucketWatch {
  readonly #options: WatchOptions;
  #view: BucketView;
  #versions = new Map<string, VersionView[]>();
  /** Versions that a new index named, whose folders were not listed yet. */
  #unlisted: { model: string; version: number }[] = [];
  readonly #rolloutMarks = new Map<string, string>();
  readonly #rolloutsRead = new Set<string>();
  #pollAt = 0;
  #listAt = 0;
  #pollFailures = 0;
  #listFailures = 0;
  #listings = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#view = emptyView(options.reader.store.mayTear);
  }

  get view(): BucketView {
    return this.#view;
  }

  /** The bucket was seen in full, and twice where something may be half-written, so that all there is to fetch is known. */
  get complete(): boolean {
    return this.#listings > 1 || (this.#listings === 1 && !hasUnrested(this.#view));
  }

  /** How often the whole bucket was listed. */
  get listings(): number {
    return this.#listings;
  }

  /** Milliseconds since the epoch. */
  get nextAt(): number {
    return Math.min(this.#pollAt, this.#listAt);
  }

  get failing(): boolean {
    return this.#pollFailures > 0 || this.#listFailures > 0;
  }

  versions(model: string): VersionView[] {
    const known = this.#versions.get(model) ?? versionsOf(this.#view, model);
    this.#versions.set(model, known);
    return known;
  }

  /** The bucket has a rollout of the model and it could not be read yet: what should serve is not known. */
  isRolloutUnread(model: string): boolean {
    return this.#view.rollouts.has(model) && !this.#rolloutsRead.has(model);
  }

  /** Something turned out to be different from the listing: list again soon. */
  listSoon(): void {
    this.#listAt = Math.min(this.#listAt, this.#options.clock.now() + Math.min(REST_MS, this.#options.listMs));
  }

  /** Does what is due. Errors of the bucket are told as conditions. @throws only what `signal` was aborted with */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#options;
    const now = clock.now();
    const poll = now >= this.#pollAt;
    const list = now >= this.#listAt;
    if (!poll && !list) return;
    const polled = !poll || (await this.#try('index', signal, () => this.#poll(signal)));
    if (poll) {
      this.#pollFailures = polled ? 0 : this.#pollFailures + 1;
      this.#pollAt = clock.now() + this.#pauseMs(this.#options.pollMs, this.#pollFailures);
    }
    const listed = !list || (await this.#try('listing', signal, () => this.#list(signal)));
    if (list) {
      this.#listFailures = listed ? 0 : this.#listFailures + 1;
      this.#listAt = clock.now() + this.#listPauseMs();
    }
    const read = await this.#readRollouts(signal);
    const good = polled && listed && read;
    metrics.syncs.inc({ result: good ? 'success' : 'error' });
    if (good && !this.failing) metrics.lastSuccess.set(clock.now() / 1000);
    metrics.bucketReachable.set(this.failing ? 0 : 1);
  }

  /** Also a bucket that does not answer is asked for its listing again as soon as for its index. */
  #listPauseMs(): number {
    const { listMs, pollMs } = this.#options;
    if (this.#listFailures > 0) return Math.min(listMs, this.#pauseMs(pollMs, this.#listFailures));
    return hasUnrested(this.#view) ? Math.min(REST_MS, listMs) : this.#pauseMs(listMs, 0);
  }

  #pauseMs(everyMs: number, failures: number): number {
    const { random } = this.#options;
    if (failures === 0) return everyMs * (0.9 + 0.2 * random());
    const maxMs = Math.max(everyMs, Math.min(MAX_BACKOFF_MS, everyMs * 8));
    return backoffMs(failures, { baseMs: everyMs, maxMs }, random());
  }

  async #try(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    const { conditions } = this.#options;
    try {
      await work();
      conditions.clear(name);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      conditions.raise(name, error);
      return false;
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { reader, conditions, metrics, onProgress } = this.#options;
    const index = await reader.readIndex({ signal });
    onProgress();
    if (index && index.generation < this.#view.generation) {
      const message = `The index went back from generation ${this.#view.generation} to ${index.generation} and is not followed. Bring the newer one back, or restart the loader if the bucket was made anew.`;
      conditions.raise('index-generation', new KedgeError('document-invalid', message));
    } else if (index) {
      conditions.clear('index-generation');
      this.#show(applyIndex(this.#view, index));
      metrics.indexGeneration.set(index.generation);
      this.#unlisted = unlistedVersions(this.#view);
    }
    while (this.#unlisted.length > 0) {
      const { model, version } = this.#unlisted[0]!;
      const objects = await reader.listVersion(model, version, { signal, onPage: onProgress });
      this.#show(applyVersionListing(this.#view, model, version, objects));
      this.#unlisted.shift();
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { reader, onProgress } = this.#options;
    this.#show(applyListing(this.#view, await reader.listAll({ signal, onPage: onProgress })));
    this.#listings += 1;
  }

  async #readRollouts(signal: AbortSignal): Promise<boolean> {
    const changed = [...this.#view.rollouts.keys()].filter(
      (model) => this.#rolloutMarks.get(model) !== rolloutMark(this.#view, model),
    );
    const limit = pLimit(ROLLOUTS_AT_ONCE);
    const read = changed.map((model) => limit(() => this.#readRollout(model, signal)));
    return (await Promise.all(read)).every(Boolean);
  }

  async #readRollout(model: string, signal: AbortSignal): Promise<boolean> {
    const { reader, conditions, onRollout, onProgress } = this.#options;
    const name = `rollout of ${model}`;
    const mark = rolloutMark(this.#view, model)!;
    try {
      const rollout = await reader.readRollout(model, { signal });
      onProgress();
      // One that went away is no news: the newest that was read stays.
      if (rollout) onRollout(model, rollout);
      this.#rolloutsRead.add(model);
      conditions.clear(name);
      this.#rolloutMarks.set(model, mark);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      conditions.raise(name, error);
      // The same bytes would be as wrong the next time.
      if (hasCode(error, 'document-invalid')) this.#rolloutMarks.set(model, mark);
      return false;
    }
  }

  #show(view: BucketView): void {
    this.#view = view;
    this.#versions.clear();
  }
}
