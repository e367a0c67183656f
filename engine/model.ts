import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import { checkInputs, checkOutputs } from './check.ts';
import { answerEmpty } from './empty.ts';
import type { LoadedModel, LoadRequest, RunOptions, WorkView } from './engine.ts';
import { lateError } from './request-queue.ts';
import type { Runner } from './session.ts';
import type { Merging } from './trial.ts';

export interface GuardedModelOptions {
  merging?: () => Merging;
  work?: () => WorkView;
}

/**
 * What every loaded model does before and around the runtime, wherever that runs: checks, empty tensors, the limit of the wait.
 *
 * serving  — runs are taken
 * draining — after release(): runs under way go on, new ones are refused
 * released — the last run ended and the runner was given up
 */
export class GuardedModel implements LoadedModel {
  readonly signature: Signature;
  readonly #request: LoadRequest;
  readonly #runner: Runner;
  readonly #clock: Clock;
  readonly #merging: (() => Merging) | undefined;
  readonly #work: (() => WorkView) | undefined;
  readonly #allOutputs: readonly string[];
  #released: Promise<void> | undefined;

  constructor(request: LoadRequest, runner: Runner, clock: Clock, options: GuardedModelOptions = {}) {
    this.signature = request.signature;
    this.#merging = options.merging;
    this.#request = request;
    this.#runner = runner;
    this.#clock = clock;
    this.#work = options.work;
    this.#allOutputs = request.signature.outputs.map(({ name }) => name);
  }

  get merging(): Merging | undefined {
    return this.#merging?.();
  }

  get work(): WorkView {
    return this.#work?.() ?? { requests: 0, rows: 0, runs: 0, rowMs: undefined };
  }

  get memoryBytes(): number | undefined {
    return this.#runner.memoryBytes;
  }

  run(inputs: Tensors, outputs?: readonly string[], options: RunOptions = {}): Promise<Tensors> {
    try {
      return this.#run(inputs, outputs, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Passes the runner's promise on as it is: an async function would make three of it, for each request. */
  #run(inputs: Tensors, outputs: readonly string[] | undefined, options: RunOptions): Promise<Tensors> {
    if (this.#released) {
      throw new KedgeError('model-not-ready', `${this.#request.name} was released: send the request again.`);
    }
    const { signature } = this;
    checkInputs(signature, inputs);
    const names = outputs ? checkOutputs(signature, outputs) : this.#allOutputs;
    const { shapes } = this.#runner;
    const empty = answerEmpty(inputs, names, { signature, shapes, rowOutputs: this.#request.rowOutputs });
    if (empty) return Promise.resolve(empty);
    const { timeoutMs } = options;
    const run = this.#runner.run(inputs, names, options);
    return timeoutMs === undefined ? run : this.#within(run, timeoutMs);
  }

  async #within(run: Promise<Tensors>, timeoutMs: number): Promise<Tensors> {
    const done = new AbortController();
    const late = this.#clock.sleep(timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return run;
      throw lateError(this.#request.name, timeoutMs);
    });
    try {
      return await Promise.race([run, late]);
    } finally {
      done.abort();
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#runner.release();
    return this.#released;
  }
}
