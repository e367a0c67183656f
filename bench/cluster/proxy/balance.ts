/**
 * The one with the fewest requests under way; of several, the next after the one that `turn` points at, so that an idle set is gone through
 * in turn. Undefined where there is none.
 */
export function leastConnections<T extends { readonly open: number }>(all: readonly T[], turn: number): T | undefined {
  let best: T | undefined;
  for (let step = 0; step < all.length; step += 1) {
    const one = all[(turn + step) % all.length]!;
    if (!best || one.open < best.open) best = one;
  }
  return best;
}
