import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import type { RunOptions, WorkView } from './engine.ts';
import { bytesOf, mergeableRows, mergeRows, type RowLayout, rowLayoutOf, splitRows, trailingShapes } from './merge.ts';
import { endedProcess } from './probe-refusals.ts';
import { longestRunMs, nextRowLimit } from './row-limit.ts';
import type { Runner, RunnerOptions } from './session.ts';
import type { FairTurns, Participant } from './turns.ts';

/** How the waiting requests of a model become runs. */
export interface BatchLimits {
  /** Most rows of a merged run. */
  maxRows: number;
  /** Most bytes of the inputs of a merged run. */
  maxBytes: number;
  /** Merged runs are kept about this short, in milliseconds, so that others get their turn; longer where there are none. */
  maxRunMs: number;
  /** How long a request waits for company, in milliseconds. 0: no longer than what else this turn of the loop brings. */
  waitMs: number;
}

export const BATCH_LIMITS: BatchLimits = { maxRows: 256, maxBytes: 16 * 2 ** 20, maxRunMs: 10, waitMs: 0 };

export interface BatcherOptions {
  /** For messages: `demand/8`. */
  name: string;
  signature: Signature;
  /** Rows of several requests may be answered in one run. */
  merges: boolean;
  limits: BatchLimits;
  /** Who runs next, here or in the process that the model lies in now. */
  turns: () => FairTurns;
  clock: Clock;
  /** Runs that may be under way at the same time where nothing is merged. */
  parallel: number;
}

interface Waiting {
  inputs: Tensors;
  outputs: readonly string[];
  /** Undefined: it runs alone. */
  rows: number | undefined;
  /** Equal for requests that fit together. */
  key: string;
  bytes: number;
  /** On the clock of `performance.now`. */
  since: number;
  /** On the clock passed in. */
  deadline: number;
  options: RunOptions;
  resolve(outputs: Tensors): void;
  reject(error: unknown): void;
}

/** What goes into one run. */
interface Batch {
  requests: readonly Waiting[];
  rows: number;
}

/** What a run came to, for all of its requests; `began` on the clock of `performance.now`. */
interface Run {
  began: number;
  computeMs: number;
  rows: number;
  requests: number;
}

/** Weight of the newest run in what the next is expected to take. */
const NEWEST = 0.3;
/** Rows of the first merged runs, before it is known how long they take. */
const FIRST_ROWS = 16;

/**
 * The requests that wait for one model, and how they become runs. What came before its turn is merged into one run as far as it
 * fits together and within the limits; it never waits on purpose unless `waitMs` says so. Where a merged run fails, each of
 * its requests runs alone, once, so that one hostile request fails alone; in another process, where it ended the one that it ran in.
 *
 * idle    — nothing waits
 * waiting — requests wait for company (`waitMs`) or for a turn
 * running — one merged run is under way, or up to `parallel` others; what comes meanwhile waits for the next turn
 */
export class Batcher implements Participant {
  expectedMs = 0.1;
  readonly #runner: Runner;
  readonly #options: BatcherOptions;
  readonly #layout: RowLayout | undefined;
  #waiting: Waiting[] = [];
  #waitingRows = 0;
  #runs = 0;
  #rowLimit: number;
  #rowMs: number | undefined;
  /** Resolves when nothing waits and no run is under way; made when somebody wants to know. */
  #idle: PromiseWithResolvers<void> | undefined;
  /** Ends the wait for company. */
  #patience: AbortController | undefined;
  /** How a merged run came out that must not: a sentence. */
  #forbidden: string | undefined;

  constructor(runner: Runner, options: BatcherOptions) {
    this.#runner = runner;
    this.#options = options;
    this.#rowLimit = Math.min(FIRST_ROWS, options.limits.maxRows);
    this.#layout = options.merges ? rowLayoutOf(options.signature) : undefined;
  }

  /** What waits, and what a row costs. */
  get work(): WorkView {
    return { requests: this.#waiting.length, rows: this.#waitingRows, runs: this.#runs, rowMs: this.#rowMs };
  }

  /** Why nothing is merged any more that was at first; undefined while all is well. */
  get forbidden(): string | undefined {
    return this.#forbidden;
  }

  get wants(): boolean {
    return this.#waiting.length > 0 && this.#runs < (this.#merges ? 1 : this.#options.parallel);
  }

  get #merges(): boolean {
    return this.#layout !== undefined && this.#forbidden === undefined;
  }

  /** One request, its inputs checked. @throws KedgeError as {@link LoadedModel.run} does */
  run(inputs: Tensors, outputs: readonly string[], options: RunOptions = {}): Promise<Tensors> {
    return new Promise((resolve, reject) => {
      const rows = this.#layout && mergeableRows(inputs, this.#layout);
      const { timeoutMs } = options;
      const request: Waiting = {
        inputs,
        outputs,
        rows,
        key: rows === undefined ? '' : this.#keyOf(inputs, outputs),
        bytes: rows === undefined ? 0 : bytesOf(inputs),
        since: performance.now(),
        deadline: timeoutMs === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.now() + timeoutMs,
        options,
        resolve,
        reject,
      };
      this.#enqueue(request);
    });
  }

  #keyOf(inputs: Tensors, outputs: readonly string[]): string {
    const layout = this.#layout!;
    const shapes = layout.otherFree ? trailingShapes(inputs, layout) : '';
    const all = this.#options.signature.outputs;
    const wantsAll = outputs.length === all.length && all.every(({ name }, index) => name === outputs[index]);
    return wantsAll ? shapes : `${shapes} ${JSON.stringify(outputs)}`;
  }

  /** Higher priorities first, else in the order in which they came. */
  #enqueue(request: Waiting): void {
    const { priority = 0 } = request.options;
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]!.options.priority ?? 0) < priority) at -= 1;
    if (at === this.#waiting.length) this.#waiting.push(request);
    else this.#waiting.splice(at, 0, request);
    this.#waitingRows += request.rows ?? 1;
    const { waitMs } = this.#options.limits;
    if (waitMs === 0 || !this.#merges || this.#waitingRows >= this.#rowLimit) this.#ask();
    else if (!this.#patience) this.#waitForCompany(waitMs);
  }

  #waitForCompany(waitMs: number): void {
    const patience = new AbortController();
    this.#patience = patience;
    void this.#options.clock.sleep(waitMs, patience.signal).then(() => {
      if (this.#patience === patience) this.#ask();
    });
  }

  #ask(): void {
    const patience = this.#patience;
    this.#patience = undefined;
    patience?.abort();
    if (this.wants) this.#options.turns().ask(this);
  }

  async start(): Promise<number> {
    const batch = this.#take();
    if (batch.requests.length === 0) {
      this.#tellIdle();
      return 0;
    }
    this.#runs += 1;
    const began = performance.now();
    await (batch.requests.length === 1 ? this.#runAlone(batch.requests[0]!) : this.#runMerged(batch));
    const ms = performance.now() - began;
    this.#runs -= 1;
    this.#learn(batch.rows, ms);
    if (this.#waiting.length > 0) this.#ask();
    else this.#tellIdle();
    return ms;
  }

  /** Resolves once what was asked for so far is answered, whether its callers wait for it or not. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0 && this.#runs === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #tellIdle(): void {
    if (this.#waiting.length > 0 || this.#runs > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** What goes into the next run. What nobody waits for any more is dropped. */
  #take(): Batch {
    const { limits, clock } = this.#options;
    const requests: Waiting[] = [];
    const left: Waiting[] = [];
    const now = clock.now();
    let rows = 0;
    let leftRows = 0;
    let bytes = 0;
    for (const request of this.#waiting) {
      const { options, deadline } = request;
      if (options.signal?.aborted || deadline <= now) {
        this.#drop(request);
        continue;
      }
      const first = requests[0];
      const joins =
        first === undefined ||
        (first.rows !== undefined &&
          request.rows !== undefined &&
          first.key === request.key &&
          rows + request.rows <= this.#rowLimit &&
          bytes + request.bytes <= limits.maxBytes &&
          this.#merges);
      if (joins) {
        requests.push(request);
        rows += request.rows ?? 1;
        bytes += request.bytes;
      } else {
        left.push(request);
        leftRows += request.rows ?? 1;
      }
    }
    this.#waitingRows = leftRows;
    this.#waiting = left;
    return { requests, rows };
  }

  #drop({ options, reject }: Waiting): void {
    if (options.signal?.aborted) reject(options.signal.reason);
    else reject(lateError(this.#options.name, options.timeoutMs!));
  }

  async #runAlone(request: Waiting, options?: RunnerOptions): Promise<void> {
    const { inputs, outputs, rows, resolve, reject } = request;
    const began = performance.now();
    try {
      const answer = await this.#runner.run(inputs, outputs, options);
      this.#tell(request, { began, computeMs: performance.now() - began, rows: rows ?? 1, requests: 1 });
      resolve(answer);
    } catch (error) {
      reject(error);
    }
  }

  async #runMerged({ requests, rows }: Batch): Promise<void> {
    const counts = requests.map((request) => request.rows!);
    const began = performance.now();
    let split: Tensors[] | undefined;
    try {
      const inputs = mergeRows(
        requests.map((request) => request.inputs),
        rows,
        this.#layout!,
      );
      split = splitRows(await this.#runner.run(inputs, requests[0]!.outputs), counts, rows);
      // What does not have the rows asked for is not what was proved or tried: never again.
      if (!split) this.#forbidden = 'A merged run had other rows than were asked for.';
    } catch (error) {
      // Each alone tells whose fault it was. They are not brought together again where one ends the process of all.
      if (endedProcess(error)) this.#forbidden = 'A merged run ended its process.';
    }
    if (!split) return this.#runEachAlone(requests);
    const run: Run = { began, computeMs: performance.now() - began, rows, requests: requests.length };
    for (let index = 0; index < requests.length; index += 1) {
      const request = requests[index]!;
      this.#tell(request, run);
      request.resolve(split[index]!);
    }
  }

  /** After a merged run that failed. Where it ended its process, those that did nothing wait until there is another. */
  async #runEachAlone(requests: readonly Waiting[]): Promise<void> {
    for (const request of requests) {
      if (request.options.signal?.aborted || request.deadline <= this.#options.clock.now()) this.#drop(request);
      else await this.#runAlone(request, { awaitsRestart: true });
    }
  }

  #tell({ options, since }: Waiting, { began, computeMs, rows, requests }: Run): void {
    options.onRun?.({ queueMs: began - since, computeMs, rows, requests });
  }

  #learn(rows: number, ms: number): void {
    const { limits, turns } = this.#options;
    this.expectedMs += NEWEST * (ms - this.expectedMs);
    this.#rowMs = this.#rowMs === undefined ? ms / rows : this.#rowMs + NEWEST * (ms / rows - this.#rowMs);
    const maxRunMs = longestRunMs(limits.maxRunMs, turns().turnsAlone(this));
    this.#rowLimit = nextRowLimit(this.#rowLimit, { rows, ms, maxRunMs, maxRows: limits.maxRows });
  }
}

/** What a request is told whose time is over. */
export function lateError(name: string, timeoutMs: number): KedgeError {
  return new KedgeError(
    'engine-timeout',
    `${name} did not answer within ${timeoutMs} ms: allow more time, or send fewer rows.`,
  );
}
