import { KedgeError } from '../../contract/errors.ts';

/** What one pod was measured to do at one load. */
export interface CurvePoint {
  /** Answers a second. */
  rate: number;
  /** Requests under way, on average. */
  inFlight: number;
  /** Milliseconds, of its answers. */
  p99Ms: number;
}

/** What one pod does at any load up to the most that it was seen to answer. Rates rise from point to point; the rest never falls. */
export interface Curve {
  points: readonly CurvePoint[];
  /** Answers a second at the last point: what is asked for beyond it waits. */
  capacity: number;
}

/**
 * Makes a curve of measured points in any order. A point with more under way and no higher rate than another one is past the peak, and left out.
 * What else runs on a machine makes answers slower and never faster: a rate counts as answered as fast as any higher one was.
 * @throws KedgeError `config-invalid`
 */
export function curveOf(measured: readonly CurvePoint[]): Curve {
  const wrong = measured.find(
    ({ rate, inFlight, p99Ms }) => ![rate, inFlight, p99Ms].every((value) => Number.isFinite(value) && value > 0),
  );
  if (measured.length === 0 || wrong) {
    const why = wrong ? `this one is none: ${JSON.stringify(wrong)}` : 'it has none';
    throw new KedgeError(
      'config-invalid',
      `a capacity curve needs points with rate, inFlight and p99Ms over 0; ${why}.`,
    );
  }
  const rising: CurvePoint[] = [];
  for (const point of [...measured].sort((a, b) => a.inFlight - b.inFlight || b.rate - a.rate)) {
    if (point.rate > (rising.at(-1)?.rate ?? 0)) rising.push(point);
  }
  const points = rising.map((point, index) => ({
    ...point,
    p99Ms: Math.min(...rising.slice(index).map(({ p99Ms }) => p99Ms)),
  }));
  return { points, capacity: points.at(-1)!.rate };
}

/** Requests under way in a pod that answers so many a second; linear between points, from nothing at rest. */
export function inFlightAt({ points }: Curve, rate: number): number {
  const [below, above, share] = around(points, rate);
  return (below?.inFlight ?? 0) + ((above?.inFlight ?? 0) - (below?.inFlight ?? 0)) * share;
}

/** 99th percentile in milliseconds at a rate; linear between points, and below the first one as at it. */
export function p99At({ points }: Curve, rate: number): number {
  const [below, above, share] = around(points, rate);
  const from = (below ?? above)!.p99Ms;
  return from + (above!.p99Ms - from) * share;
}

/** The points on both sides of a rate, and how far it is from the first to the second, 0 to 1. No point is before the first one. */
function around(
  points: readonly CurvePoint[],
  rate: number,
): [below: CurvePoint | undefined, above: CurvePoint | undefined, share: number] {
  let index = 0;
  while (index < points.length - 1 && points[index]!.rate < rate) index += 1;
  const [below, above] = [points[index - 1], points[index]!];
  const from = below?.rate ?? 0;
  return [below, above, Math.min(Math.max((rate - from) / (above.rate - from), 0), 1)];
}

/** What a pod may be asked to hold: the p99 of its answers in milliseconds, the number under way in it, or both. */
export interface Objective {
  p99Ms?: number | undefined;
  inFlight?: number | undefined;
  /** Of the time, over 0 to 1, in which it must hold. */
  share: number;
}

/** The most that a pod may be asked for each second within an objective; 0 where no load is light enough. */
export function rateWithin(curve: Curve, objective: Objective): number {
  const holds = (rate: number): boolean =>
    p99At(curve, rate) <= (objective.p99Ms ?? Number.POSITIVE_INFINITY) &&
    inFlightAt(curve, rate) <= (objective.inFlight ?? Number.POSITIVE_INFINITY);
  if (holds(curve.capacity)) return curve.capacity;
  let [low, high] = [0, curve.capacity];
  if (!holds(0)) return 0;
  for (let halving = 0; halving < 50; halving += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
