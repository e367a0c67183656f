import { fairFinishMs } from './cost.ts';

/** Why a request was not taken, or not answered. */
export const LOAD_REASONS = ['rows', 'bytes', 'wait', 'deadline', 'expired', 'cancelled'] as const;
export type LoadReason = (typeof LOAD_REASONS)[number];

export interface LoadLimits {
  /** Most rows of one version that are admitted and not answered. */
  queueRows: number;
  /** Longest time that work which came before may take, in milliseconds. */
  queueMs: number;
}

/** The request to be judged. */
export interface LoadAsk {
  rows: number;
  /** Time that is left to answer it, in milliseconds; undefined: it has no deadline. */
  leftMs: number | undefined;
}

/** What is there already. */
export interface LoadFacts {
  /** Rows of this version that run before this request does. */
  rowsAhead: number;
  /** Of these, the requests that are run in parts and let this one go between them, and their rows. */
  partedAhead?: { requests: number; rows: number };
  /** Undefined: not known, or learnt too long ago to refuse anybody by it. */
  rowMs: number | undefined;
  /** Work of other versions that share the processor, in milliseconds each. */
  othersMs: readonly number[];
  /** What reading and answering it, and the requests before it, takes of the processor that they run on, in milliseconds; 0 where that is another. */
  aroundMs: number;
}

export interface LoadRefusal {
  reason: LoadReason;
  /** After this time it would probably be taken, in milliseconds. */
  retryMs: number;
}

/** A part of a request that is run in parts takes about this long at most, in milliseconds. */
const PART_MS = 25;

/** Work of the version that runs before the request, in milliseconds. */
function aheadOf({ rowsAhead, partedAhead = { requests: 0, rows: 0 } }: LoadFacts, rowMs: number): number {
  const { requests, rows } = partedAhead;
  return (rowsAhead - rows) * rowMs + Math.min(rows * rowMs, requests * PART_MS);
}

/**
 * Whether a request can still be answered in time; undefined if so. A request that finds nothing before it is held against its deadline alone,
 * so that one that is larger than a limit of the queue is not refused for ever.
 */
export function judgeLoad(ask: LoadAsk, facts: LoadFacts, limits: LoadLimits): LoadRefusal | undefined {
  const { rowsAhead, rowMs, othersMs, aroundMs } = facts;
  const workMs = rowMs === undefined ? 0 : aheadOf(facts, rowMs);
  const aheadMs = fairFinishMs(workMs, othersMs);
  if (rowsAhead > 0 && rowsAhead + ask.rows > limits.queueRows) return { reason: 'rows', retryMs: aheadMs };
  if (ask.leftMs !== undefined && ask.leftMs <= 0) return { reason: 'deadline', retryMs: aheadMs };
  if (rowMs === undefined) return undefined;
  if (aheadMs > limits.queueMs) return { reason: 'wait', retryMs: aheadMs - limits.queueMs };
  const finishMs = fairFinishMs(workMs + ask.rows * rowMs, othersMs) + aroundMs;
  if (ask.leftMs !== undefined && finishMs > ask.leftMs) return { reason: 'deadline', retryMs: finishMs - ask.leftMs };
  return undefined;
}
