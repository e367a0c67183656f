/** What a run showed, and what bounds the next. Milliseconds. */
export interface RowLimitFacts {
  /** Of the run. */
  rows: number;
  ms: number;
  /** Runs are kept about this short. */
  maxRunMs: number;
}

/**
 * How many rows the next run may have: more, at most twice as many, while runs are short and half full; fewer at once when one took too
 * long. Pure.
 */
export function nextRowLimit(limit: number, { rows, ms, maxRunMs }: RowLimitFacts): number {
  if (ms > maxRunMs) return Math.max(1, Math.min(limit, Math.floor((rows * maxRunMs) / ms)));
  if (rows * 2 <= limit) return limit;
  return Math.ceil(limit * Math.min(2, maxRunMs / ms));
}

/** After so many turns in a row nobody else is thought to want any. */
const ALONE_TURNS = 32;
/** What a run may take then, times its usual limit. */
const ALONE_FACTOR = 2.5;

/**
 * How long runs may be, in milliseconds: longer where one model alone has the loop or the process, as then nobody else waits for the end of a
 * run, and a model whose weights are large needs many rows to be worth reading them (a perceptron of 20 MB: 64 rows take 8 ms on an idle
 * machine and 14 on a busy one). Pure.
 * @param turns how many turns it had since another one had any
 */
export function longestRunMs(maxRunMs: number, turns: number): number {
  return turns < ALONE_TURNS ? maxRunMs : maxRunMs * ALONE_FACTOR;
}

/** What a run may take that holds up the serving loop and cannot be cut into parts, in milliseconds. */
const LONGEST_PIECE_MS = 100;

/** How many rows such a run may have: no more than merged runs at most, and fewer where a row is known to cost much. Pure. */
export function mostPieceRows(rowMs: number | undefined, maxRows: number): number {
  if (rowMs === undefined) return maxRows;
  return Math.max(1, Math.min(maxRows, Math.floor(LONGEST_PIECE_MS / rowMs)));
}
