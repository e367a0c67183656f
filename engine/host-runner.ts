import { KedgeError, messageOf } from '../contract/errors.ts';
import type { Tensors } from '../contract/tensor.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import type { GraphShapes } from './empty.ts';
import type { LoadOptions, LoadRequest } from './engine.ts';
import { type Death, describeDeath, wasCutOff } from './host-death.ts';
import type { HostEngineOptions } from './host-engine.ts';
import type { Host, HostPool } from './host-pool.ts';
import { bytesOf } from './merge.ts';
import { RunSizes } from './run-sizes.ts';
import type { Runner, RunnerOptions } from './session.ts';
import { FairTurns } from './turns.ts';

/** A process that lived this long is thought sound: its end begins a new count of attempts. */
const SOUND_MS = 60_000;
const RESTART: Backoff = { baseMs: 200, maxMs: 30_000 };
/** A version that ends its host this often within the time is unfit to be served. */
const UNFIT_DEATHS = 3;
const UNFIT_MS = 60_000;
/** After so many reloads that failed in a row a version counts as lost. */
const LOST_RELOADS = 3;
/** What a model may take and still share its process: others wait for its loads and runs. As the probe measured. */
const LIGHT = { loadMs: 50, runMs: 10, memoryBytes: 64 * 2 ** 20 };

/** Whether a model may share a host process: only where it was measured, and found light. */
export function isLight({ cost }: Pick<LoadRequest, 'cost'>): boolean {
  if (!cost) return false;
  return cost.loadMs <= LIGHT.loadMs && cost.runMs <= LIGHT.runMs && cost.memoryBytes <= LIGHT.memoryBytes;
}

export interface HostRunnerOptions extends HostEngineOptions, LoadOptions {
  pool: HostPool;
}

/**
 * One model in a host process, shared with others or its own.
 *
 * ready      — the process has the model loaded
 * restarting — the process ended without being asked to; another one loads the model. Whose call ended it is refused with the reason, waits, longer
 *              with each attempt, and then has a process of its own; those that were merged with it wait for that. The others are loaded elsewhere at once, and their requests
 *              wait for that and are tried once more
 * released   — the model was given up, and its memory is back
 *
 *   ready -> restarting (the process ended);  restarting -> ready (loaded again);  any -> released
 */
export class HostRunner implements Runner {
  readonly shapes: GraphShapes;
  #state: 'ready' | 'restarting' | 'released' = 'ready';
  #place: Place;
  #startedAt: number;
  #attempt = 0;
  #reason = '';
  #guilty = false;
  /** When it ended a host, of late. */
  #deaths: number[] = [];
  readonly #sizes: RunSizes;
  /** Bytes of the run that was asked for last: one at a time. */
  #runBytes = 0;
  readonly #request: LoadRequest;
  readonly #options: HostRunnerOptions;
  /** Of runs that are asked for while no process has the model: they wait for no other. */
  readonly #ownTurns = new FairTurns({ sliceMs: 0 });
  readonly #stop = new AbortController();
  #restart: Promise<void> = Promise.resolve();
  /** The first attempt to load again came to an end. */
  #firstAttempt: Promise<void> = Promise.resolve();

  private constructor(request: LoadRequest, options: HostRunnerOptions, place: Place, shapes: GraphShapes) {
    this.#request = request;
    this.#options = options;
    this.#place = place;
    this.#startedAt = options.clock.now();
    this.#sizes = new RunSizes(options.runTimeoutMs);
    this.shapes = shapes;
    this.#watch(place);
  }

  /** @throws KedgeError `object-corrupt`, `engine-failed`, `engine-timeout`, `engine-crashed`, `engine-memory` */
  static async open(request: LoadRequest, options: HostRunnerOptions): Promise<HostRunner> {
    const { place, shapes } = await start(request, options, {
      alone: !isLight(request) || options.pool.isKiller(request),
    });
    return new HostRunner(request, options, place, shapes);
  }

  get memoryBytes(): number {
    return this.#place.memoryBytes;
  }

  /** With whom it takes turns now. */
  get turns(): FairTurns {
    return this.#state === 'ready' ? this.#place.host.turns : this.#ownTurns;
  }

  check(inputs: Tensors): void {
    const { clock, runTimeoutMs } = this.#options;
    if (!this.#sizes.isTooLarge(bytesOf(inputs), clock.now())) return;
    throw new KedgeError(
      'request-invalid',
      `${this.#request.name} would take longer than ${runTimeoutMs} ms for so large a request, by what others took: send fewer rows.`,
    );
  }

  async run(
    inputs: Tensors,
    outputs: readonly string[],
    { awaitsRestart = false, onCompute }: RunnerOptions = {},
  ): Promise<Tensors> {
    if (this.#state === 'restarting' && (awaitsRestart || !this.#guilty)) await this.#firstAttempt;
    try {
      return await this.#runOnce(inputs, outputs, onCompute);
    } catch (error) {
      if (!wasCutOff(error) || this.#stop.signal.aborted) throw error;
      await this.#firstAttempt;
      return this.#runOnce(inputs, outputs, onCompute);
    }
  }

  async #runOnce(inputs: Tensors, outputs: readonly string[], onCompute: RunnerOptions['onCompute']): Promise<Tensors> {
    const { name } = this.#request;
    if (this.#state !== 'ready') {
      const reason = this.#reason || 'it was released';
      throw new KedgeError('model-not-ready', `${name} is being loaded again: ${reason}. Try again in a few seconds.`);
    }
    const { host, model } = this.#place;
    const bytes = bytesOf(inputs);
    this.#runBytes = bytes;
    const options = { what: `Running ${name}`, timeoutMs: this.#options.runTimeoutMs };
    const answer = await host.call({ call: 'run', model, inputs, outputs }, options);
    this.#sizes.answered(bytes, answer.ms);
    onCompute?.(answer.ms);
    return answer.outputs!;
  }

  async release(): Promise<void> {
    this.#state = 'released';
    this.#stop.abort();
    await this.#restart;
    const { host, model } = this.#place;
    // A restart that could not be stopped any more has loaded it again.
    if (host.residents > 1 && host.process.state !== 'dead') {
      const limits = { what: `Releasing ${this.#request.name}`, timeoutMs: this.#options.loadTimeoutMs };
      await host.call({ call: 'release', model }, limits).catch(() => undefined);
    }
    await this.#options.pool.leave(host);
  }

  #watch({ host, model }: Place): void {
    void host.process.dead.then((death) => {
      if (this.#state !== 'ready') return;
      this.#state = 'restarting';
      this.#guilty = !host.isShared || host.process.fatalModel === model;
      this.#reason = this.#guilty
        ? `its process ended, as ${describeDeath(death)}`
        : `the process it shared with others ended, as ${describeDeath(death)}`;
      if (this.#options.clock.now() - this.#startedAt >= SOUND_MS) this.#attempt = 0;
      if (host.process.fatalModel === model && !this.#isOfSize(death)) this.#countDeath(death);
      const first = Promise.withResolvers<void>();
      this.#firstAttempt = first.promise;
      this.#restart = this.#loadAgain(first.resolve).finally(first.resolve);
    });
  }

  /** Whether a run took too long because its request was large, which is no fault of the version. */
  #isOfSize(death: Death): boolean {
    return death.kind === 'timeout' && this.#sizes.reachedLimit(this.#runBytes, this.#options.clock.now());
  }

  #countDeath(death: Death): void {
    const { clock, onUnfit } = this.#options;
    const now = clock.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < UNFIT_MS), now];
    if (this.#deaths.length < UNFIT_DEATHS) return;
    const message = `${this.#request.name} ended its process ${this.#deaths.length} times within a minute, lately as ${describeDeath(death)}.`;
    onUnfit?.(new KedgeError('engine-crashed', message, { details: { death } }));
  }

  #tellLost(cause: unknown): void {
    const message = `${this.#request.name} could not be loaded again ${LOST_RELOADS} times: ${this.#reason}.`;
    this.#options.onLost?.(new KedgeError('engine-failed', message, { cause }));
  }

  async #loadAgain(firstDone: () => void): Promise<void> {
    const { clock, random, log, pool } = this.#options;
    if (this.#guilty) pool.noteKiller(this.#request);
    const alone = !isLight(this.#request) || pool.isKiller(this.#request);
    // The memory of the old process is back before a new one takes its own.
    await this.#place.host.process.gone;
    let failures = 0;
    while (this.#state === 'restarting') {
      if (this.#guilty || this.#attempt > 0) {
        const waitMs = backoffMs(this.#attempt, RESTART, random());
        log.warn({ model: this.#request.name, attempt: this.#attempt + 1, waitMs }, `Loading again: ${this.#reason}`);
        await clock.sleep(waitMs, this.#stop.signal);
      }
      this.#attempt += 1;
      if (this.#stop.signal.aborted) return;
      try {
        const { place } = await start(this.#request, this.#options, { alone, signal: this.#stop.signal });
        await pool.leave(this.#place.host);
        this.#place = place;
        this.#startedAt = clock.now();
        if (this.#stop.signal.aborted) return;
        this.#state = 'ready';
        this.#watch(place);
      } catch (error) {
        this.#reason = messageOf(error).replace(/\.$/, '');
        failures += 1;
        if (failures === LOST_RELOADS) this.#tellLost(error);
      }
      firstDone();
    }
  }
}

/** Where a model lies. */
interface Place {
  host: Host;
  /** Its number in the process. */
  model: number;
  /** What it takes there: all that the process has, where it is alone, or what its load added. */
  memoryBytes: number;
}

interface StartOptions {
  alone: boolean;
  signal?: AbortSignal;
}

async function start(
  request: LoadRequest,
  { pool, loadTimeoutMs }: HostRunnerOptions,
  { alone, signal }: StartOptions,
): Promise<{ place: Place; shapes: GraphShapes }> {
  const { name, dir, files, signature } = request;
  const host = pool.enter(alone);
  const model = pool.nextModel();
  // A load in a process of its own need not be waited for.
  const stop = (): void => void (host.isShared ? undefined : host.process.end());
  signal?.addEventListener('abort', stop);
  try {
    const limits = { what: `Loading ${name}`, timeoutMs: loadTimeoutMs };
    const call = { call: 'load', model, request: { name, dir, files, signature } } as const;
    const { shapes, memoryBytes, grownBytes } = await host.call(call, limits);
    return { place: { host, model, memoryBytes: (host.isShared ? grownBytes : memoryBytes)! }, shapes: shapes! };
  } catch (error) {
    if (host.process.fatalModel === model) pool.noteKiller(request);
    await pool.leave(host);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
