import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import { lateError } from './batcher.ts';
import { checkInputs, checkOutputs } from './check.ts';
import { answerEmpty } from './empty.ts';
import type { LoadedModel, LoadRequest, RunOptions, WorkView } from './engine.ts';
import type { Runner } from './session.ts';
import type { Merging } from './trial.ts';

export interface GuardedModelOptions {
  merging?: () => Merging;
  work?: () => WorkView;
}

/**
 * What every loaded model does before and around the runtime, wherever that runs: checks, empty tensors, the wait, the count of runs.
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
  #underWay = 0;
  readonly #drained = Promise.withResolvers<void>();
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
    return this.#work?.() ?? { requests: 0, rows: 0, runs: this.#underWay, rowMs: undefined };
  }

  get memoryBytes(): number | undefined {
    return this.#runner.memoryBytes;
  }

  async run(inputs: Tensors, outputs?: readonly string[], options: RunOptions = {}): Promise<Tensors> {
    if (this.#released) {
      throw new KedgeError('model-not-ready', `${this.#request.name} was released: send the request again.`);
    }
    const { signature } = this;
    checkInputs(signature, inputs);
    const names = outputs ? checkOutputs(signature, outputs) : this.#allOutputs;
    const { shapes } = this.#runner;
    const empty = answerEmpty(inputs, names, { signature, shapes, rowOutputs: this.#request.rowOutputs });
    if (empty) return empty;
    const { timeoutMs } = options;
    this.#underWay += 1;
    const run = this.#runner.run(inputs, names, options);
    // A release waits for the run, whether its caller does or not.
    void run.then(this.#ended, this.#ended);
    return timeoutMs === undefined ? run : this.#within(run, timeoutMs);
  }

  readonly #ended = (): void => {
    this.#underWay -= 1;
    if (this.#released && this.#underWay === 0) this.#drained.resolve();
  };

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
    this.#released ??= this.#drain();
    return this.#released;
  }

  async #drain(): Promise<void> {
    if (this.#underWay > 0) await this.#drained.promise;
    await this.#runner.release();
  }
}
