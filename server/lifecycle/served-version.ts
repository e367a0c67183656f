import { join } from 'node:path';
import type { CatalogAvailable } from '../../contract/catalog.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Refusal } from '../../contract/refusal.ts';
import type { Signature } from '../../contract/signature.ts';
import type { Tensors } from '../../contract/tensor.ts';
import type { Engine, LoadedModel, RunOptions } from '../../engine/engine.ts';
import type { Clock } from '../../platform/clock.ts';
import { judgeRows, type Placement } from '../placement.ts';
import { judgeLoad } from './judge-load.ts';
import { TRANSITIONS, type VersionState } from './states.ts';
import { warmUp } from './warm-up.ts';

/** States that are remembered for `/versions`. */
const HISTORY = 20;

export interface ServedVersionOptions {
  model: string;
  entry: CatalogAvailable;
  /** Absolute root of the volume. */
  volume: string;
  placement: Placement;
  clock: Clock;
  /** Called after each change of state; the cause of a failure is what was thrown. */
  onChange(version: ServedVersion, cause?: unknown): void;
}

export interface HistoryEntry {
  state: VersionState;
  /** Milliseconds since the epoch. */
  at: number;
}

/**
 * One version of a model in this server.
 *
 * ```
 *   discovered -> loading -> warming -> ready -> draining -> released
 *   discovered, loading, warming -> refused
 *   loading, warming -> failed
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
 * - draining: it takes no new requests, and finishes those it has. Wanted again before the last one ends, it is ready again.
 * - released: its last request is answered and the engine gave it up. It may be loaded again.
 * - refused: it can never serve here as it is. Only another look by the loader (a new `since` in the catalog) changes that.
 * - failed: an attempt went wrong in a way that may pass. It is loaded again after a while, or after another look by the loader.
 *
 * Which versions are wanted, and which one is active, is the policy's to say ({@link nextActions}): the pinned one and the newest, as
 * many as KEDGE_KEEP_READY says, are held ready, so that a rollback or a request for the version before need not wait for a load.
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
  readonly #history: HistoryEntry[] = [];
  #state: VersionState = 'discovered';
  #reasons: readonly Refusal[] = [];
  #failures = 0;
  #retryAt: number | undefined;
  #loadMs: number | undefined;
  #loaded: LoadedModel | undefined;
  #requests = 0;
  #drained: PromiseWithResolvers<void> | undefined;

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
    this.#history.push({ state: 'discovered', at: options.clock.now() });
  }

  get state(): VersionState {
    return this.#state;
  }

  get history(): readonly HistoryEntry[] {
    return this.#history;
  }

  /** Why it is refused or failed. */
  get reasons(): readonly Refusal[] {
    return this.#reasons;
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

  get signature(): Signature {
    return this.entry.manifest.signature;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Takes hold of it for one request. Synchronous with the choice of the version, so nothing comes between. */
  enter(): void {
    if (this.#state !== 'ready') {
      throw new KedgeError(
        'model-not-ready',
        `${this.model} version ${this.version} is ${this.#state}; try again shortly.`,
      );
    }
    this.#requests += 1;
  }

  leave(): void {
    this.#requests -= 1;
    if (this.#state === 'draining' && this.#requests === 0) this.#release();
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
    this.#become('discovered');
  }

  /**
   * discovered, released or failed -> ready, refused or failed. Never rejects.
   * @param retryMs how long to wait after the given number of failures
   */
  async load(engine: Engine, retryMs: (failures: number) => number): Promise<void> {
    const { clock, volume } = this.#options;
    const { manifest, path, probe } = this.entry;
    const began = clock.now();
    this.#become('loading');
    let loaded: LoadedModel | undefined;
    try {
      loaded = await engine.load({
        name: `${this.model}/${this.version}`,
        dir: join(volume, path),
        files: manifest.files,
        signature: manifest.signature,
        rowOutputs: probe.rowOutputs,
        mergeRows: judgeRows(this.entry).merge,
        samples: manifest.samples,
        cost: probe,
      });
      this.#become('warming');
      await warmUp(loaded, manifest.samples);
      this.#loaded = loaded;
      this.#loadMs = clock.now() - began;
      this.#failures = 0;
      this.#become('ready');
    } catch (error) {
      const { state, reasons } = judgeLoad(error, this.#state === 'warming');
      if (state === 'failed') {
        this.#failures += 1;
        this.#retryAt = clock.now() + retryMs(this.#failures);
      }
      this.#become(state, reasons, error);
      await loaded?.release().catch(() => undefined);
    }
  }

  /** ready -> draining, and released at once if no request holds it. */
  drain(): void {
    this.#drained = Promise.withResolvers();
    this.#become('draining');
    if (this.#requests === 0) this.#release();
  }

  /** draining -> ready. */
  resume(): void {
    this.#become('ready');
    this.#drained?.resolve();
  }

  /** Resolves when the engine gave it up after the last request, if it was told to drain; at once if it was not. */
  async drained(): Promise<void> {
    await this.#drained?.promise;
  }

  #release(): void {
    const loaded = this.#loaded!;
    this.#loaded = undefined;
    void loaded
      .release()
      .catch(() => undefined)
      .then(this.#drained!.resolve);
    this.#become('released');
  }

  /** The one place where the state changes. */
  #become(state: VersionState, reasons: readonly Refusal[] = [], cause?: unknown): void {
    if (!TRANSITIONS[this.#state].includes(state)) {
      throw new KedgeError(
        'internal',
        `${this.model} version ${this.version} cannot go from ${this.#state} to ${state}.`,
      );
    }
    this.#state = state;
    this.#reasons = reasons;
    if (state !== 'failed') this.#retryAt = undefined;
    this.#history.push({ state, at: this.#options.clock.now() });
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#options.onChange(this, cause);
  }
}
