import { KedgeError } from '../contract/errors.ts';
import type { RunTimes } from '../engine/engine.ts';
import { ClientGone } from './gate/client-gone.ts';

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

/**
 * Why a request failed, by the reasons of Triton's `nv_inference_request_failure` (its docs/user_guide/metrics.md): refused for want of
 * time or room; given up by its client; failed in the model, or in what runs it; anything else, as inputs that do not fit.
 */
export const FAILURES = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type Failure = (typeof FAILURES)[number];

const BACKEND: ReadonlySet<string> = new Set([
  'engine-failed',
  'engine-timeout',
  'engine-crashed',
  'engine-memory',
  'estimator-defect',
]);

/**
 * The reason behind an error. Pure.
 * @param leftMs what the request had left of its own time, if it has one: then a run that came too late was not the model's fault
 */
export function failureOf(error: unknown, leftMs: number | undefined): Failure {
  if (error instanceof ClientGone) return 'CANCELED';
  if (!(error instanceof KedgeError)) return 'OTHER';
  // A timer fires up to a millisecond early.
  const late = error.code === 'engine-timeout' && leftMs !== undefined && leftMs <= 1;
  if (late || error.code === 'overloaded') return 'REJECTED';
  return BACKEND.has(error.code) ? 'BACKEND' : 'OTHER';
}

/** Upper bounds of {@link Sizes}: powers of two, so that a bucket is found without a search. */
export const SIZE_BUCKETS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** How large runs were. Each request of a run adds its share of it, so counts are whole only when all have. */
export class Sizes {
  readonly counts: number[] = new Array<number>(SIZE_BUCKETS.length + 1).fill(0);
  sum = 0;

  add(size: number, share: number): void {
    const bucket = size <= 1 ? 0 : 32 - Math.clz32(size - 1);
    this.counts[Math.min(bucket, SIZE_BUCKETS.length)]! += share;
    this.sum += size * share;
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
  readonly failures: Record<Failure, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  readonly queue = new Spent();
  readonly input = new Spent();
  readonly infer = new Spent();
  readonly output = new Spent();
  /** By rows of the run. */
  readonly batches = new Map<number, BatchSpent>();
  /** Rows and requests of the runs. */
  readonly runRows = new Sizes();
  readonly runRequests = new Sizes();
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
    const runRows = times.requests === 1 ? rows : times.rows;
    this.runRows.add(runRows, share);
    this.runRequests.add(times.requests, share);
    const batch = this.#batchOf(runRows);
    batch?.input.add(inputMs, share);
    batch?.infer.add(times.computeMs * share, share);
    batch?.output.add(outputMs, share);
  }

  failed(reason: Failure, ms: number): void {
    this.failures[reason] += 1;
    this.fail.add(ms);
  }

  #batchOf(rows: number): BatchSpent | undefined {
    const known = this.batches.get(rows);
    if (known || this.batches.size >= MAX_BATCH_SIZES) return known;
    const batch = { input: new Spent(), infer: new Spent(), output: new Spent() };
    this.batches.set(rows, batch);
    return batch;
  }
}
