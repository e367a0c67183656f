import type { Tensors } from '../contract/tensor.ts';
import type { Batch, Waiting } from './batch-choice.ts';
import { mergeRows, type RowLayout, splitRows } from './merge.ts';
import { Parts } from './parts.ts';
import { endedProcess } from './probe-refusals.ts';
import type { Runner, RunnerOptions } from './session.ts';

export interface BatchRunsOptions {
  /** How rows lie, where they are merged. */
  layout: RowLayout | undefined;
  /** Rejects a request that nobody waits for any more, and says whether it is still to be run. */
  isWanted(request: Waiting): boolean;
}

/** What became of a batch. */
interface Ran {
  /** A request that is to wait for its next turn, if there is one. */
  unfinished: Waiting | undefined;
  /** What the runs took, in milliseconds, without what they waited for. */
  computeMs: number;
}

/** What a run came to, for all of its requests. */
interface Run {
  computeMs: number;
  rows: number;
  requests: number;
}

const OTHER_ROWS = 'A merged run, or a part of one, had other rows than were asked for.';

/**
 * Runs what was chosen, and gives each request its answer. Where a merged run fails, each of its requests runs alone, once, so that one
 * hostile request fails alone; in another process, where it ended the one that it ran in.
 */
export class BatchRuns {
  readonly #runner: Runner;
  readonly #options: BatchRunsOptions;
  #forbidden: string | undefined;

  constructor(runner: Runner, options: BatchRunsOptions) {
    this.#runner = runner;
    this.#options = options;
  }

  /** How a merged run came out that must not: a sentence. */
  get forbidden(): string | undefined {
    return this.#forbidden;
  }

  /** Never rejects. */
  async run(batch: Batch): Promise<Ran> {
    const work = new Work(this.#runner);
    const [first] = batch.requests;
    let unfinished: Waiting | undefined;
    if (batch.isPart) unfinished = await this.#runPart(first!, batch.rows, work);
    else await (batch.requests.length === 1 ? this.#runAlone(first!, work) : this.#runMerged(batch, work));
    return { unfinished, computeMs: work.computeMs };
  }

  /** The next rows of a request that has more than a run may. */
  async #runPart(request: Waiting, count: number, work: Work): Promise<Waiting | undefined> {
    request.parts ??= new Parts(request.inputs, request.rows);
    const { parts, outputs, rows, resolve, reject } = request;
    try {
      const fits = parts.add(await work.run(parts.next(count), outputs), count);
      parts.computeMs += work.computeMs;
      if (!fits) {
        this.#forbidden = OTHER_ROWS;
        request.parts = undefined;
        return request;
      }
      if (parts.left > 0) return request;
      tell(request, { computeMs: parts.computeMs, rows, requests: 1 });
      resolve(parts.outputs);
    } catch (error) {
      reject(error);
    }
    return undefined;
  }

  async #runAlone(request: Waiting, work: Work, options?: RunnerOptions): Promise<void> {
    const { inputs, outputs, rows, resolve, reject } = request;
    const before = work.computeMs;
    try {
      const answer = await work.run(inputs, outputs, options);
      tell(request, { computeMs: work.computeMs - before, rows, requests: 1 });
      resolve(answer);
    } catch (error) {
      reject(error);
    }
  }

  async #runMerged({ requests, rows }: Batch, work: Work): Promise<void> {
    const counts = requests.map((request) => request.rows);
    let split: Tensors[] | undefined;
    try {
      const inputs = mergeRows(
        requests.map((request) => request.inputs),
        rows,
        this.#options.layout!,
      );
      split = splitRows(await work.run(inputs, requests[0]!.outputs), counts, rows);
      // What does not have the rows asked for is not what was proved or tried: never again.
      if (!split) this.#forbidden = OTHER_ROWS;
    } catch (error) {
      // Each alone tells whose fault it was. They are not brought together again where one ends the process of all.
      if (endedProcess(error)) this.#forbidden = 'A merged run ended its process.';
    }
    if (!split) return this.#runEachAlone(requests, work);
    const run: Run = { computeMs: work.computeMs, rows, requests: requests.length };
    for (let index = 0; index < requests.length; index += 1) {
      const request = requests[index]!;
      tell(request, run);
      request.resolve(split[index]!);
    }
  }

  /** After a merged run that failed. Where it ended its process, those that did nothing wait until there is another. */
  async #runEachAlone(requests: readonly Waiting[], work: Work): Promise<void> {
    for (const request of requests) {
      if (this.#options.isWanted(request)) await this.#runAlone(request, work, { awaitsRestart: true });
    }
  }
}

function tell({ options, since }: Waiting, { computeMs, rows, requests }: Run): void {
  options.onRun?.({ queueMs: Math.max(0, performance.now() - since - computeMs), computeMs, rows, requests });
}

/** The calls of the runner for one batch, and what they took. */
class Work {
  /** As the runner tells it, else until its answer, in milliseconds. */
  computeMs = 0;
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async run(inputs: Tensors, outputs: readonly string[], options?: RunnerOptions): Promise<Tensors> {
    const began = performance.now();
    let told: number | undefined;
    const onCompute = (ms: number): void => {
      told = ms;
    };
    try {
      return await this.#runner.run(inputs, outputs, { ...options, onCompute });
    } finally {
      this.computeMs += told ?? performance.now() - began;
    }
  }
}
