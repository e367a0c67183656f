import { KedgeError, messageOf } from '../contract/errors.ts';
import type { Tensors } from '../contract/tensor.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import type { GraphShapes } from './empty.ts';
import type { LoadRequest } from './engine.ts';
import { describeDeath } from './host-death.ts';
import type { HostEngineOptions } from './host-engine.ts';
import { HostProcess } from './host-process.ts';
import type { Runner } from './session.ts';

/** A process that lived this long is thought sound: its end begins a new count of attempts. */
const SOUND_MS = 60_000;
const RESTART: Backoff = { baseMs: 200, maxMs: 30_000 };
/** A process holds one model today; the protocol can tell several apart. */
const MODEL = 1;

/**
 * One model in a host process of its own.
 *
 * ready      — the process has the model loaded
 * restarting — the process ended without being asked to; after a wait, which doubles with each attempt, another one loads the model. Runs are refused with
 *              the reason
 * released   — the process was ended, and its memory is back
 *
 *   ready -> restarting (the process ended);  restarting -> ready (loaded again);  any -> released
 */
export class HostRunner implements Runner {
  readonly shapes: GraphShapes;
  #state: 'ready' | 'restarting' | 'released' = 'ready';
  #process: HostProcess;
  #startedAt: number;
  #attempt = 0;
  #reason = '';
  readonly #request: LoadRequest;
  readonly #options: HostEngineOptions;
  readonly #stop = new AbortController();
  #restart: Promise<void> = Promise.resolve();

  private constructor(request: LoadRequest, options: HostEngineOptions, host: HostProcess, shapes: GraphShapes) {
    this.#request = request;
    this.#options = options;
    this.#process = host;
    this.#startedAt = options.clock.now();
    this.shapes = shapes;
    this.#watch(host);
  }

  /** @throws KedgeError `object-corrupt`, `engine-failed`, `engine-timeout`, `engine-crashed`, `engine-memory` */
  static async open(request: LoadRequest, options: HostEngineOptions): Promise<HostRunner> {
    const { host, shapes } = await start(request, options);
    return new HostRunner(request, options, host, shapes);
  }

  async run(inputs: Tensors, outputs: readonly string[]): Promise<Tensors> {
    const { name } = this.#request;
    if (this.#state !== 'ready') {
      const reason = this.#reason || 'it was released';
      throw new KedgeError('model-not-ready', `${name} is being loaded again: ${reason}. Try again in a few seconds.`);
    }
    const options = { what: `Running ${name}`, timeoutMs: this.#options.runTimeoutMs };
    const answer = await this.#process.call({ call: 'run', model: MODEL, inputs, outputs }, options);
    return answer.outputs!;
  }

  async release(): Promise<void> {
    this.#state = 'released';
    this.#stop.abort();
    await this.#restart;
    await this.#process.end();
  }

  #watch(host: HostProcess): void {
    void host.dead.then((death) => {
      if (this.#state !== 'ready') return;
      this.#state = 'restarting';
      this.#reason = `its process ended, as ${describeDeath(death)}`;
      if (this.#options.clock.now() - this.#startedAt >= SOUND_MS) this.#attempt = 0;
      this.#restart = this.#loadAgain();
    });
  }

  async #loadAgain(): Promise<void> {
    const { clock, random, log } = this.#options;
    // The memory of the old process is back before a new one takes its own.
    await this.#process.gone;
    while (this.#state === 'restarting') {
      const waitMs = backoffMs(this.#attempt++, RESTART, random());
      log.warn({ model: this.#request.name, attempt: this.#attempt, waitMs }, `Loading again: ${this.#reason}`);
      await clock.sleep(waitMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      try {
        const { host } = await start(this.#request, this.#options, this.#stop.signal);
        this.#process = host;
        this.#startedAt = clock.now();
        if (this.#stop.signal.aborted) return;
        this.#state = 'ready';
        this.#watch(host);
      } catch (error) {
        this.#reason = messageOf(error).replace(/\.$/, '');
      }
    }
  }
}

async function start(
  request: LoadRequest,
  options: HostEngineOptions,
  signal?: AbortSignal,
): Promise<{ host: HostProcess; shapes: GraphShapes }> {
  const host = new HostProcess(options);
  const stop = (): void => void host.end();
  signal?.addEventListener('abort', stop);
  try {
    const limits = { what: `Loading ${request.name}`, timeoutMs: options.loadTimeoutMs };
    const { shapes } = await host.call({ call: 'load', model: MODEL, request }, limits);
    return { host, shapes: shapes! };
  } catch (error) {
    await host.end();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
