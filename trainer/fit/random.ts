/** Numbers from 0 to below 1. */
export type Random = () => number;

/** A seeded generator: mulberry32 (T. Ettinger, 2017), whose 2^32 states are plenty for drawing rows and columns. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `count` of the numbers below `total`, each subset as likely as any other, in rising order (selection sampling: Knuth, The Art of
 * Computer Programming 2, 3.4.2, algorithm S). Writes them to the front of `into`.
 */
export function sample(total: number, count: number, random: Random, into: Uint32Array): void {
  let taken = 0;
  for (let value = 0; taken < count; value += 1) {
    if (random() * (total - value) < count - taken) into[taken++] = value;
  }
}
