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

/** What a run came to, for all of its requests; `began` on the clock of `performance.now`. */
interface Run {
  began: number;
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

  /** @returns a request that is to wait for its next turn, if there is one. Never rejects. */
  async run(batch: Batch): Promise<Waiting | undefined> {
    const [first] = batch.requests;
    if (batch.isPart) return this.#runPart(first!, batch.rows);
    await (batch.requests.length === 1 ? this.#runAlone(first!) : this.#runMerged(batch));
    return undefined;
  }

  /** The next rows of a request that has more than a run may. */
  async #runPart(request: Waiting, count: number): Promise<Waiting | undefined> {
    request.parts ??= new Parts(request.inputs, request.rows);
    const { parts, outputs, rows, since, options, resolve, reject } = request;
    const began = performance.now();
    try {
      const fits = parts.add(await this.#runner.run(parts.next(count), outputs), count);
      const now = performance.now();
      parts.computeMs += now - began;
      if (!fits) {
        this.#forbidden = OTHER_ROWS;
        request.parts = undefined;
        return request;
      }
      if (parts.left > 0) return request;
      options.onRun?.({ queueMs: now - since - parts.computeMs, computeMs: parts.computeMs, rows, requests: 1 });
      resolve(parts.outputs);
    } catch (error) {
      reject(error);
    }
    return undefined;
  }

  async #runAlone(request: Waiting, options?: RunnerOptions): Promise<void> {
    const { inputs, outputs, rows, resolve, reject } = request;
    const began = performance.now();
    try {
      const answer = await this.#runner.run(inputs, outputs, options);
      tell(request, { began, computeMs: performance.now() - began, rows, requests: 1 });
      resolve(answer);
    } catch (error) {
      reject(error);
    }
  }

  async #runMerged({ requests, rows }: Batch): Promise<void> {
    const counts = requests.map((request) => request.rows);
    const began = performance.now();
    let split: Tensors[] | undefined;
    try {
      const inputs = mergeRows(
        requests.map((request) => request.inputs),
        rows,
        this.#options.layout!,
      );
      split = splitRows(await this.#runner.run(inputs, requests[0]!.outputs), counts, rows);
      // What does not have the rows asked for is not what was proved or tried: never again.
      if (!split) this.#forbidden = OTHER_ROWS;
    } catch (error) {
      // Each alone tells whose fault it was. They are not brought together again where one ends the process of all.
      if (endedProcess(error)) this.#forbidden = 'A merged run ended its process.';
    }
    if (!split) return this.#runEachAlone(requests);
    const run: Run = { began, computeMs: performance.now() - began, rows, requests: requests.length };
    for (let index = 0; index < requests.length; index += 1) {
      const request = requests[index]!;
      tell(request, run);
      request.resolve(split[index]!);
    }
  }

  /** After a merged run that failed. Where it ended its process, those that did nothing wait until there is another. */
  async #runEachAlone(requests: readonly Waiting[]): Promise<void> {
    for (const request of requests) {
      if (this.#options.isWanted(request)) await this.#runAlone(request, { awaitsRestart: true });
    }
  }
}

function tell({ options, since }: Waiting, { began, computeMs, rows, requests }: Run): void {
  options.onRun?.({ queueMs: began - since, computeMs, rows, requests });
}
