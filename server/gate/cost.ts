/** Weight of the newest run in the cost of a row. */
const NEWEST = 0.3;

/**
 * What a row of a model costs, as an exponentially weighted mean over its runs: old enough to bear noise, new enough to follow
 * a machine that slows down.
 * @param rowMs the cost so far, in milliseconds; undefined before the first run
 * @param requests requests that shared the run, each of which tells of it, so each weighs that much less
 */
export function nextRowCost(rowMs: number | undefined, runMs: number, rows: number, requests: number): number {
  const seen = runMs / Math.max(1, rows);
  return rowMs === undefined ? seen : rowMs + (NEWEST / requests) * (seen - rowMs);
}

/**
 * When work of `ownMs` is done, in milliseconds from now, beside others that wait for the same processor. Turns are fair
 * (engine/turns.ts), so each of the others goes before it with as much as it has itself at most.
 */
export function fairFinishMs(ownMs: number, othersMs: Iterable<number>): number {
  let finish = ownMs;
  for (const other of othersMs) finish += Math.min(other, ownMs);
  return finish;
}
