import type { CatalogAvailable } from '../../contract/catalog.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Refusal } from '../../contract/refusal.ts';
import type { Signature } from '../../contract/signature.ts';
import type { Tensors } from '../../contract/tensor.ts';
import type { Engine, LoadedModel, RunOptions } from '../../engine/engine.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Placement } from '../placement.ts';
import { judgeLoad, judgeLost, judgeUnfit } from './judge-load.ts';
import { attemptLoad } from './load-attempt.ts';
import type { VersionState } from './states.ts';
import { Usage } from './usage.ts';
import { type HistoryEntry, StateRecord } from './version-state.ts';

export interface ServedVersionOptions {
  model: string;
  entry: CatalogAvailable;
  /** Absolute root of the volume. */
  volume: string;
  placement: Placement;
  clock: Clock;
  /** Called after each change of state, and when it turned out to be unfit; the cause of a failure is what was thrown. */
  onChange(version: ServedVersion, cause?: unknown): void;
  /** Called when it is ready and no request holds it or waits for it any more. */
  onCold(): void;
}

/**
 * One version of a model in this server.
 *
 * ```
 *   discovered -> loading -> warming -> ready -> draining -> released
 *   discovered, loading, warming -> refused
 *   released, failed -> refused        there is no room for it any more
 *   loading, warming, ready -> failed
 *   draining -> ready                  wanted again while a request still holds it
 *   released -> loading                wanted again
 *   failed -> loading                  after a while
 *   failed, refused -> discovered      the loader looked at the version again
 * ```
 *
 * - discovered: the catalog offers it; nothing of it is loaded. Where it is not among the versions wanted, it stays here.
 * - loading: the engine reads and prepares the graph.
 * - warming: it runs its samples, which must come out, or else one made-up input.
 * - ready: it can answer. One ready version of a model is the active one; that is no state of its own, but an assignment.
 * - draining: it takes no new requests, and finishes those it has. Wanted again before the last one ends, it is ready again, unless it
 *   drains to give its memory to others.
 * - released: its last request is answered and the engine gave it up. It may be loaded again.
 * - refused: it can never serve here as it is. Only another look by the loader (a new `since` in the catalog) changes that; or, where
 *   there was no room for it, that there is now.
 * - failed: an attempt went wrong in a way that may pass. It is loaded again after a while, or after another look by the loader. One
 *   that answered and then kept ending its process fails once another version answers, and is loaded again only where none does. One
 *   whose process ended and could not be started again answers nothing, so it fails at once, and is loaded again after a while.
 *
 * Which versions are wanted, and which one is active, is the policy's to say ({@link nextActions}): those that the rollout asks for, else
 * the pinned one and the newest, as many as KEDGE_KEEP_READY says, are held ready, so that a rollback or a request for the
 * version before need not wait for a load.
 *
 * A request holds the version between `enter` and `leave`, so that one that answers is never released.
 */
export class ServedVersion {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
  /** Headers of every answer that it gives. */
  readonly headers: Readonly<Record<string, string>>;
  entry: CatalogAvailable;
  placement: Placement;
  /** The catalog offers exactly this one now. */
  vouched = true;
  readonly #options: ServedVersionOptions;
  readonly #record: StateRecord;
  #failures = 0;
  #retryMs: (failures: number) => number = () => 0;
  /** It was ready once, so what is wrong with it now may pass. */
  #answered = false;
  #retryAt: number | undefined;
  #loadMs: number | undefined;
  #loaded: LoadedModel | undefined;
  readonly #usage = new Usage();
  #drained: PromiseWithResolvers<void> | undefined;
  #unfit: KedgeError | undefined;
  #givenUp = false;

  constructor(options: ServedVersionOptions) {
    this.#options = options;
    this.model = options.model;
    this.entry = options.entry;
    this.version = options.entry.version;
    this.digest = options.entry.digest;
    this.placement = options.placement;
    this.headers = {
      'content-type': 'application/json',
      'kedge-model-version': String(this.version),
      'kedge-model-digest': this.digest,
    };
    this.#record = new StateRecord(`${this.model} version ${this.version}`, options.clock);
  }

  get state(): VersionState {
    return this.#record.state;
  }

  get history(): readonly HistoryEntry[] {
    return this.#record.history;
  }

  /** Why it is refused or failed. */
  get reasons(): readonly Refusal[] {
    return this.#record.reasons;
  }

  /** Failed loads one after another. */
  get failures(): number {
    return this.#failures;
  }

  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /** Milliseconds that the last load and warm-up took. */
  get loadMs(): number | undefined {
    return this.#loadMs;
  }

  /** What ends its process again and again while it answers. */
  get unfit(): KedgeError | undefined {
    return this.#unfit;
  }

  /** It drains because its memory is needed. */
  get givenUp(): boolean {
    return this.#givenUp;
  }

  /** Requests wait until it is loaded. */
  get demanded(): boolean {
    return this.#usage.isDemanded;
  }

  /** No request holds it or waits for it. */
  get isCold(): boolean {
    return this.#usage.isFree && !this.#usage.isDemanded;
  }

  /** When a request last took hold of it, milliseconds since the epoch; 0 if none did. */
  get lastUsed(): number {
    return this.#usage.lastUsed;
  }

  /** Resident memory that the engine sees it take, where it can tell. */
  get measuredBytes(): number | undefined {
    return this.#loaded?.memoryBytes;
  }

  /** Requests that wait in the engine for their run to begin. */
  get waitingForRun(): number {
    return this.#loaded?.work?.requests ?? 0;
  }

  /** Whether the engine merges rows of several requests, and why; undefined while it is not loaded. */
  get merging(): LoadedModel['merging'] {
    return this.#loaded?.merging;
  }

  get signature(): Signature {
    return this.entry.manifest.signature;
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** Takes hold of it for one request. Synchronous with the choice of the version, so nothing comes between. */
  enter(): void {
    if (this.state !== 'ready') {
      throw new KedgeError(
        'model-not-ready',
        `${this.model} version ${this.version} is ${this.state}; try again shortly.`,
      );
    }
    this.#usage.enter(this.#options.clock.now());
  }

  leave(): void {
    this.#usage.leave();
    if (!this.#usage.isFree) return;
    if (this.state === 'draining') this.#release();
    // It failed while this request held it, and may have moved on since: a new load waits for what the old one held.
    else if (this.#loaded && this.state !== 'ready') this.#giveBack();
    else this.#tellCold();
  }

  /**
   * One request more, or one less, that waits for it to load.
   * @returns resolves when it is ready, or will not be soon
   */
  demand(change: 1 | -1): Promise<void> {
    const settled = this.#usage.demand(change);
    if (change < 0) this.#tellCold();
    return this.isReady ? Promise.resolve() : settled;
  }

  /** One inference, between `enter` and `leave`. @throws KedgeError as {@link LoadedModel.run} does */
  run(inputs: Tensors, outputs?: readonly string[], options?: RunOptions): Promise<Tensors> {
    return this.#loaded!.run(inputs, outputs, options);
  }

  refuse(reasons: readonly Refusal[]): void {
    this.#become('refused', reasons);
  }

  /** From refused or failed: the loader looked again, so what was learnt of it may no longer hold. */
  rediscover(): void {
    this.#failures = 0;
    this.#unfit = undefined;
    this.#become('discovered');
  }

  /**
   * discovered, released or failed -> ready, refused or failed. Never rejects.
   * @param retryMs how long to wait after the given number of failures
   */
  async load(engine: Engine, retryMs: (failures: number) => number): Promise<void> {
    const { clock, volume } = this.#options;
    const began = clock.now();
    this.#retryMs = retryMs;
    this.#become('loading');
    try {
      // The last requests of an attempt before may still be under way.
      if (this.#loaded) await this.drained();
      this.#unfit = undefined;
      this.#loaded = await attemptLoad(engine, {
        ...{ name: `${this.model}/${this.version}`, entry: this.entry, volume },
        onLoaded: () => this.#become('warming'),
        onUnfit: (reason) => this.#onUnfit(reason),
        onLost: (reason) => this.#onLost(reason),
      });
      this.#loadMs = clock.now() - began;
      this.#failures = 0;
      this.#answered = true;
      this.#become('ready');
    } catch (error) {
      const { state, reasons } = judgeLoad(error, { warming: this.state === 'warming', answered: this.#answered });
      if (state === 'failed') this.#countFailure();
      this.#become(state, reasons, error);
    }
  }

  /**
   * ready -> draining, and released at once if no request holds it.
   * @param options.givenUp its memory is needed: it is not taken back
   */
  drain({ givenUp = false } = {}): void {
    this.#drained = Promise.withResolvers();
    this.#givenUp = givenUp;
    this.#become('draining');
    if (this.#usage.isFree) this.#release();
  }

  /** ready -> failed, because it is {@link unfit}; the requests that hold it end first. */
  fail(): void {
    this.#failures = Number.POSITIVE_INFINITY;
    this.#fail(judgeUnfit(this.#unfit!), this.#unfit);
  }

  /** draining -> ready. */
  resume(): void {
    this.#become('ready');
    this.#drained?.resolve();
  }

  /** Resolves when the engine gave it up after the last request, if it was told to drain or fail; at once if it was not. */
  async drained(): Promise<void> {
    await this.#drained?.promise;
  }

  #tellCold(): void {
    if (this.isReady && this.isCold) this.#options.onCold();
  }

  #release(): void {
    this.#giveBack();
    this.#givenUp = false;
    this.#become('released');
  }

  #giveBack(): void {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    void loaded
      ?.release()
      .catch(() => undefined)
      .then(this.#drained!.resolve);
  }

  #onUnfit(reason: KedgeError): void {
    if (this.state === 'released' || this.state === 'failed' || this.#unfit) return;
    this.#unfit = reason;
    this.#options.onChange(this, reason);
  }

  #onLost(reason: KedgeError): void {
    if (this.state !== 'ready') return;
    this.#countFailure();
    this.#fail(judgeLost(reason), reason);
  }

  /** ready -> failed; what it holds is given back after its last request. */
  #fail(reasons: readonly Refusal[], cause: unknown): void {
    this.#drained = Promise.withResolvers();
    this.#become('failed', reasons, cause);
    if (this.#usage.isFree) this.#giveBack();
  }

  #countFailure(): void {
    this.#failures += 1;
    this.#retryAt = this.#options.clock.now() + this.#retryMs(this.#failures);
  }

  /** The one place where the state changes. */
  #become(state: VersionState, reasons: readonly Refusal[] = [], cause?: unknown): void {
    this.#record.become(state, reasons);
    if (state !== 'failed') this.#retryAt = undefined;
    if (state === 'ready' || state === 'refused' || state === 'failed') this.#usage.settle();
    this.#options.onChange(this, cause);
  }
}
