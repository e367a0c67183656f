import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import type { BatchBounds, Waiting } from './batch-choice.ts';
import { BatchRuns } from './batch-runs.ts';
import type { RunOptions, WorkView } from './engine.ts';
import { bytesOf, mergeableRows, type RowLayout, rowLayoutOf, trailingShapes } from './merge.ts';
import { Patience, patienceMs } from './patience.ts';
import { RequestQueue } from './request-queue.ts';
import { requestRows } from './request-rows.ts';
import { longestRunMs, mostPieceRows, nextRowLimit } from './row-limit.ts';
import type { Runner } from './session.ts';
import type { FairTurns, Participant } from './turns.ts';

/** How the waiting requests of a model become runs. */
export interface BatchLimits {
  /** Most rows of a merged run. */
  maxRows: number;
  /** Most bytes of the inputs of a merged run. */
  maxBytes: number;
  /** Merged runs, and parts of a request that has many rows, are kept about this short, in milliseconds, so that others get their turn; longer where there are none. */
  maxRunMs: number;
  /** How long a request waits for company, in milliseconds, if it has the time. 0: no longer than what else this turn of the loop brings. */
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
  /** A run holds up the serving loop, so that a request which cannot be run in parts may have only so many rows as take little time. */
  boundsPieces?: boolean;
}

/** Weight of the newest run in what the next is expected to take. */
const NEWEST = 0.3;
/** A cost that was seen longer ago than this, in milliseconds, keeps nothing from being run. */
const STALE_MS = 1_000;
/** Most rows of the first runs, before it is known how long they take. */
const FIRST_ROWS = 16;

/**
 * The requests that wait for one model, and how they become runs. What came before its turn is merged into one run as far as it
 * fits together and within the limits; it never waits on purpose unless `waitMs` says so. A request that has more rows than that is run
 * in parts, between which all others have their turns.
 *
 * idle    — nothing waits
 * waiting — requests wait for company (`waitMs`) or for a turn
 * running — one merged run or part is under way, or up to `parallel` others; what comes meanwhile waits for the next turn
 */
export class Batcher implements Participant {
  expectedMs = 0.1;
  readonly #options: BatcherOptions;
  readonly #layout: RowLayout | undefined;
  readonly #runner: Runner;
  readonly #queue: RequestQueue;
  readonly #batches: BatchRuns;
  readonly #patience: Patience;
  #runs = 0;
  /** How many rows take about as long as a run may. */
  #rowLimit = FIRST_ROWS;
  #rowMs: number | undefined;
  #learntAt = Number.NEGATIVE_INFINITY;
  /** Resolves when nothing waits and no run is under way; made when somebody wants to know. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(runner: Runner, options: BatcherOptions) {
    this.#runner = runner;
    this.#options = options;
    this.#layout = options.merges ? rowLayoutOf(options.signature) : undefined;
    this.#queue = new RequestQueue(options.name);
    this.#patience = new Patience(options.clock, () => this.#ask());
    this.#batches = new BatchRuns(runner, {
      layout: this.#layout,
      isWanted: (request) => this.#queue.isWanted(request, this.#bounds),
    });
  }

  /** What waits, and what a row costs. */
  get work(): WorkView {
    return { requests: this.#queue.requests, rows: this.#queue.rows, runs: this.#runs, rowMs: this.#rowMs };
  }

  /** Why nothing is merged any more that was at first; undefined while all is well. */
  get forbidden(): string | undefined {
    return this.#batches.forbidden;
  }

  get wants(): boolean {
    return this.#queue.requests > 0 && this.#runs < (this.#merges ? 1 : this.#options.parallel);
  }

  get #merges(): boolean {
    return this.#layout !== undefined && this.forbidden === undefined;
  }

  /** One request, its inputs checked. @throws KedgeError as {@link LoadedModel.run} does */
  run(inputs: Tensors, outputs: readonly string[], options: RunOptions = {}): Promise<Tensors> {
    return new Promise((resolve, reject) => {
      const mergeable = this.#layout !== undefined && mergeableRows(inputs, this.#layout) !== undefined;
      if (!mergeable || !this.#merges) this.#runner.check?.(inputs);
      const { timeoutMs } = options;
      const request: Waiting = {
        inputs,
        outputs,
        rows: requestRows(this.#options.signature, inputs),
        mergeable,
        key: mergeable ? this.#keyOf(inputs, outputs) : '',
        bytes: mergeable ? bytesOf(inputs) : 0,
        since: performance.now(),
        deadline: timeoutMs === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.now() + timeoutMs,
        options,
        resolve,
        reject,
      };
      this.#queue.insert(request);
      const waitMs = this.#patienceMs(timeoutMs);
      if (waitMs > 0) this.#patience.begin(waitMs);
      else this.#ask();
    });
  }

  /** How long a request waits for company. */
  #patienceMs(leftMs = Number.POSITIVE_INFINITY): number {
    const { limits } = this.#options;
    const { waitMs } = limits;
    if (waitMs === 0 || !this.#merges || this.#queue.rows >= Math.min(this.#rowLimit, limits.maxRows)) return 0;
    return patienceMs({ waitMs, leftMs, expectedMs: this.expectedMs });
  }

  #keyOf(inputs: Tensors, outputs: readonly string[]): string {
    const layout = this.#layout!;
    const shapes = layout.otherFree ? trailingShapes(inputs, layout) : '';
    const all = this.#options.signature.outputs;
    const wantsAll = outputs.length === all.length && all.every(({ name }, index) => name === outputs[index]);
    return wantsAll ? shapes : `${shapes} ${JSON.stringify(outputs)}`;
  }

  #ask(): void {
    this.#patience.end();
    if (this.wants) this.#options.turns().ask(this);
  }

  async start(): Promise<number> {
    const batch = this.#queue.take(this.#bounds);
    if (batch.requests.length === 0) {
      this.#tellIdle();
      return 0;
    }
    this.#runs += 1;
    const { unfinished, computeMs: ms } = await this.#batches.run(batch);
    // Behind what came meanwhile.
    if (unfinished) this.#queue.insert(unfinished);
    this.#runs -= 1;
    this.#learn(batch.rows, ms);
    if (this.#queue.requests > 0) this.#ask();
    else this.#tellIdle();
    return ms;
  }

  /** Resolves once what was asked for so far is answered, whether its callers wait for it or not. */
  idle(): Promise<void> {
    if (this.#queue.requests === 0 && this.#runs === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #tellIdle(): void {
    if (this.#queue.requests > 0 || this.#runs > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  get #bounds(): BatchBounds {
    const { limits, clock, boundsPieces = false } = this.#options;
    return {
      now: clock.now(),
      merges: this.#merges,
      maxRows: Math.min(this.#rowLimit, limits.maxRows),
      maxPartRows: this.#rowLimit,
      maxBytes: limits.maxBytes,
      // What is dropped by a cost can never correct it.
      rowMs: clock.now() - this.#learntAt <= STALE_MS ? this.#rowMs : undefined,
      maxPieceRows: boundsPieces ? mostPieceRows(this.#rowMs, limits.maxRows) : Number.POSITIVE_INFINITY,
    };
  }

  #learn(rows: number, ms: number): void {
    const { limits, turns, clock } = this.#options;
    this.expectedMs += NEWEST * (ms - this.expectedMs);
    // The first run is slower than those that follow, so that it counts until the second alone.
    const isKnown = this.#learntAt > Number.NEGATIVE_INFINITY;
    if (this.#rowMs !== undefined) this.#learntAt = clock.now();
    const seen = ms / Math.max(1, rows);
    this.#rowMs = isKnown ? this.#rowMs! + NEWEST * (seen - this.#rowMs!) : seen;
    const maxRunMs = longestRunMs(limits.maxRunMs, turns().turnsAlone(this));
    this.#rowLimit = nextRowLimit(this.#rowLimit, { rows, ms, maxRunMs });
  }
}
