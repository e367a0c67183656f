import type { RunTimes } from '../engine/engine.ts';

/** Batch sizes that are told apart for a version; clients choose them, so there must be an end. */
const MAX_BATCH_SIZES = 256;

/** A number of times, and their sum in milliseconds. */
export class Spent {
  count = 0;
  ms = 0;

  add(ms: number, count = 1): void {
    this.count += count;
    this.ms += ms;
  }
}

/** What runs of one size came to. */
export interface BatchSpent {
  input: Spent;
  infer: Spent;
  output: Spent;
}

/** Where the time of one request went. Times in milliseconds. */
export interface RequestWork {
  /** From its head to its answer. */
  totalMs: number;
  /** To understand it. */
  inputMs: number;
  /** To write the answer. */
  outputMs: number;
  /** Rows of its inputs. */
  rows: number;
  /** What its run came to; undefined where it was answered without one. */
  times: RunTimes | undefined;
}

/** What the requests to a version took, as the statistics extension has it. */
export class WorkStats {
  readonly success = new Spent();
  readonly fail = new Spent();
  readonly queue = new Spent();
  readonly input = new Spent();
  readonly infer = new Spent();
  readonly output = new Spent();
  /** By rows of the run. */
  readonly batches = new Map<number, BatchSpent>();
  /** Rows that were run. */
  inferences = 0;
  /** Runs; each request adds its share of the one that it was in. */
  executions = 0;
  /** When a request was last answered, in seconds on the clock of the stats; undefined for never. */
  lastAt: number | undefined;

  succeed({ totalMs, inputMs, outputMs, rows, times }: RequestWork, at: number): void {
    this.success.add(totalMs);
    this.input.add(inputMs);
    this.output.add(outputMs);
    this.lastAt = at;
    if (!times) return;
    const share = 1 / times.requests;
    this.queue.add(times.queueMs);
    this.infer.add(times.computeMs);
    this.inferences += rows;
    this.executions += share;
    const batch = this.#batchOf(times.requests === 1 ? rows : times.rows);
    batch?.input.add(inputMs, share);
    batch?.infer.add(times.computeMs * share, share);
    batch?.output.add(outputMs, share);
  }

  #batchOf(rows: number): BatchSpent | undefined {
    const known = this.batches.get(rows);
    if (known || this.batches.size >= MAX_BATCH_SIZES) return known;
    const batch = { input: new Spent(), infer: new Spent(), output: new Spent() };
    this.batches.set(rows, batch);
    return batch;
  }
}
