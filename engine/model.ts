import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import { checkInputs, checkOutputs } from './check.ts';
import { answerEmpty } from './empty.ts';
import type { Engine, LoadedModel, LoadRequest, RunOptions } from './engine.ts';
import type { Runner } from './session.ts';

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
  readonly #underWay = new Set<Promise<unknown>>();
  #released: Promise<void> | undefined;

  constructor(request: LoadRequest, runner: Runner, clock: Clock) {
    this.signature = request.signature;
    this.#request = request;
    this.#runner = runner;
    this.#clock = clock;
  }

  async run(inputs: Tensors, outputs?: readonly string[], { timeoutMs }: RunOptions = {}): Promise<Tensors> {
    if (this.#released) {
      throw new KedgeError('model-not-ready', `${this.#request.name} was released: send the request again.`);
    }
    const { signature } = this;
    checkInputs(signature, inputs);
    const names = checkOutputs(signature, outputs);
    const { shapes } = this.#runner;
    const { rowOutputs } = this.#request;
    const empty = answerEmpty(inputs, names, { signature, shapes, rowOutputs });
    if (empty) return empty;
    const run = this.#runner.run(inputs, names);
    const settled = run.catch(() => undefined).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
    return timeoutMs === undefined ? run : this.#within(run, timeoutMs);
  }

  async #within(run: Promise<Tensors>, timeoutMs: number): Promise<Tensors> {
    const done = new AbortController();
    const late = this.#clock.sleep(timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return run;
      throw new KedgeError(
        'engine-timeout',
        `${this.#request.name} did not answer within ${timeoutMs} ms: allow more time, or send fewer rows.`,
      );
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
    await Promise.all(this.#underWay);
    await this.#runner.release();
  }
}

export interface EngineOptions {
  /** Loads a version, verified. */
  open(request: LoadRequest): Promise<Runner>;
  clock: Clock;
}

/** An engine over whatever opens a version. */
export function engineOf(kind: Engine['kind'], { open, clock }: EngineOptions): Engine {
  const models = new Set<LoadedModel>();
  let closed = false;
  return {
    kind,
    load: async (request) => {
      const runner = await open(request);
      if (closed) {
        await runner.release();
        throw new KedgeError('shutting-down', `${request.name} was not loaded, as the engine was closed meanwhile.`);
      }
      const release = async (): Promise<void> => {
        models.delete(model);
        await runner.release();
      };
      const model = new GuardedModel(request, { shapes: runner.shapes, run: runner.run.bind(runner), release }, clock);
      models.add(model);
      return model;
    },
    close: async () => {
      closed = true;
      await Promise.all([...models].map((model) => model.release()));
    },
  };
}
