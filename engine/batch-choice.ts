import type { Tensors } from '../contract/tensor.ts';
import type { RunOptions } from './engine.ts';
import type { Parts } from './parts.ts';

/** A request that waits to be run, its inputs checked. */
export interface Waiting {
  inputs: Tensors;
  outputs: readonly string[];
  rows: number;
  /** Its rows may be run beside those of others, and apart from each other. */
  mergeable: boolean;
  /** Equal for requests that fit together. */
  key: string;
  bytes: number;
  /** On the clock of `performance.now`. */
  since: number;
  /** On the clock passed in. */
  deadline: number;
  options: RunOptions;
  /** What became of its rows so far, where they are run in parts. */
  parts?: Parts | undefined;
  resolve(outputs: Tensors): void;
  reject(error: unknown): void;
}

/** What goes into one run. */
export interface Batch {
  requests: readonly Waiting[];
  /** Fewer than the request has left, if it is a part of it. */
  rows: number;
  /** It has rows of one request that is run in parts. */
  isPart: boolean;
}

export interface BatchBounds {
  /** Milliseconds on the clock of the deadlines. */
  now: number;
  /** Rows are merged, and kept apart from each other. */
  merges: boolean;
  /** Most rows of a run that several requests share. */
  maxRows: number;
  /** Most rows of a part of a request that has more; of one that has fewer, all rows are one run. */
  maxPartRows: number;
  maxBytes: number;
  /** Most rows of a request that can only be run in one piece. */
  maxPieceRows: number;
  /** What a row costs in milliseconds; undefined: nothing recent tells. */
  rowMs: number | undefined;
}

/** Why a request is not run: nobody waits for it any more, its time is over, or will be before its run ends, or it would hold up all others. */
export type Unrun = 'cancelled' | 'late' | 'hopeless' | 'large';

interface Choice {
  batch: Batch;
  left: Waiting[];
  unrun: { request: Waiting; why: Unrun }[];
}

/** Rows of a request that are to be run. */
export function rowsLeft({ parts, rows }: Waiting): number {
  return parts ? parts.left : rows;
}

/**
 * What of the requests that wait goes into the next run: the first one, and what fits together with it and within the bounds. Of one that has more
 * rows than that, a part. No run is made so large that it would end after the time of one in it. Pure.
 */
export function chooseBatch(waiting: readonly Waiting[], bounds: BatchBounds): Choice {
  const left: Waiting[] = [];
  const unrun: Choice['unrun'] = [];
  const requests: Waiting[] = [];
  const { merges, maxRows, maxBytes } = bounds;
  let isPart = false;
  let rows = 0;
  let bytes = 0;
  /** When the run must end. */
  let deadline = Number.POSITIVE_INFINITY;
  for (const request of waiting) {
    const why = unrunnable(request, bounds);
    if (why) {
      unrun.push({ request, why });
      continue;
    }
    const first = requests[0];
    const own = rowsLeft(request);
    if (first === undefined) {
      const partRows = Math.min(own, partRowsOf(request, bounds));
      isPart = merges && request.mergeable && (request.parts !== undefined || partRows < own);
      requests.push(request);
      rows = isPart ? partRows : request.rows;
      bytes = request.bytes;
      deadline = request.deadline;
    } else if (
      merges &&
      !isPart &&
      first.mergeable &&
      request.mergeable &&
      !request.parts &&
      first.key === request.key &&
      rows + own <= maxRows &&
      bytes + request.bytes <= maxBytes &&
      endsAt(rows + own, bounds) <= Math.min(deadline, request.deadline)
    ) {
      requests.push(request);
      rows += own;
      bytes += request.bytes;
      deadline = Math.min(deadline, request.deadline);
    } else left.push(request);
  }
  return { batch: { requests, rows, isPart }, left, unrun };
}

/** Most rows of a part, within the most bytes too. */
function partRowsOf({ rows, bytes }: Waiting, { maxPartRows, maxBytes }: BatchBounds): number {
  return bytes === 0 ? maxPartRows : Math.max(1, Math.min(maxPartRows, Math.floor((maxBytes * rows) / bytes)));
}

/** When a run of so many rows that begins now is expected to end. */
function endsAt(rows: number, { now, rowMs = 0 }: BatchBounds): number {
  return now + rows * rowMs;
}

function unrunnable(request: Waiting, bounds: BatchBounds): Unrun | undefined {
  const { options, deadline, mergeable, rows } = request;
  const { now, merges, maxPieceRows } = bounds;
  if (options.signal?.aborted) return 'cancelled';
  if (deadline <= now) return 'late';
  if (endsAt(rowsLeft(request), bounds) > deadline) return 'hopeless';
  return (merges && mergeable) || rows <= maxPieceRows ? undefined : 'large';
}
