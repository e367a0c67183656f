import { areaOf, type Schedule, type Segment } from './schedule.ts';

/** Rounding may leave this much of a request at the end of a schedule, which is no request. */
const ROUNDING = 1e-6;

/**
 * When requests arrive, in seconds from the start, in order. An arrival is where the integral of the rate reaches the next mark: marks are 1 apart where
 * arrivals are evenly spaced, the first at 0; where they are random, exponentially distributed with mean 1, which makes a Poisson process of just this rate (inversion: Devroye,
 * Non-Uniform Random Variate Generation, 1986, chapter VI).
 * @param random numbers in [0, 1)
 */
export function* arrivalsOf({ segments }: Schedule, random: () => number): Generator<number, undefined> {
  const step = (segment: Segment): number => (segment.random ? -Math.log(1 - random()) : 1);
  let mark = segments[0]!.random ? step(segments[0]!) : 0;
  let before = 0;
  for (const segment of segments) {
    const area = areaOf(segment);
    while (mark - before < area - (segment.random ? 0 : ROUNDING)) {
      yield timeIn(segment, Math.max(0, mark - before));
      mark += step(segment);
    }
    before += area;
  }
}

/** Where the integral of the rate, from the start of a segment, reaches `area`. */
function timeIn({ from, to, startRate, endRate }: Segment, area: number): number {
  const slope = (endRate - startRate) / (to - from);
  // The form of the root that does not cancel, and holds for a slope of 0.
  const root = Math.sqrt(Math.max(0, startRate ** 2 + 2 * slope * area));
  return area === 0 ? from : from + (2 * area) / (startRate + root);
}
