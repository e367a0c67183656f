import { KedgeError } from '../../contract/errors.ts';
import type { Latency, LoadTotal } from '../report/record.ts';
import type { CurvePoint } from './curve.ts';

/** What came of one rate that was held for some seconds. */
export interface Trial {
  total: LoadTotal;
  seconds: number;
  /** Average number under way, where the server tells; reckoned from latencies if undefined. */
  inFlight: number | undefined;
}

/** Offers a rate for some seconds. */
export type Ask = (rate: number, seconds: number) => Promise<Trial>;

export interface MeasureOptions {
  /** A rate that any pod bears, per second. */
  startRate: number;
  /** Of each rate of the curve. */
  seconds: number;
  /** Parts of the peak that become points. */
  parts?: readonly number[];
  /** Told before each trial. */
  onTrial?: (done: number, of: number, rate: number) => void;
}

const PARTS = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.88, 0.95];
/** While it looks for the peak, at most. */
const LOOK_SECONDS = 2;
/** A pod bears a rate if it answers this part of it. */
const BORNE = 0.97;
const MOST_AGAIN = 2;
const GROWTH = 1.6;
const MOST_LOOKS = 40;
/** Looks between the rate that was borne and the one that was not. */
const REFINE = 3;

/**
 * Measures one pod: raises the rate until not all of it is answered, and then holds parts of what was, each for some seconds.
 * @throws KedgeError `model-not-ready` where even the first rate is not answered
 */
export async function measureCurve(ask: Ask, options: MeasureOptions): Promise<CurvePoint[]> {
  const { parts = PARTS, seconds, onTrial } = options;
  const peak = await peakRate(ask, options);
  const points: CurvePoint[] = [];
  for (const [index, part] of parts.entries()) {
    onTrial?.(index, parts.length, peak * part);
    points.push(pointOf(await askAgain(ask, peak * part, seconds)));
  }
  return points;
}

/** A rate below the peak that is not borne met with something else on the machine: it is asked for again, a few times. */
async function askAgain(ask: Ask, rate: number, seconds: number): Promise<Trial> {
  let trial = await ask(rate, seconds);
  for (let again = 0; again < MOST_AGAIN && !isBorne(trial); again += 1) trial = await ask(rate, seconds);
  return trial;
}

function isBorne({ total }: Trial): boolean {
  return total.ok >= total.scheduled * BORNE;
}

/** The highest rate that was borne, between growing ones, and then between the last that was and the first that was not. */
async function peakRate(ask: Ask, { startRate, seconds, onTrial }: MeasureOptions): Promise<number> {
  const bears = async (rate: number): Promise<boolean> => {
    onTrial?.(0, 0, rate);
    return isBorne(await ask(rate, Math.min(seconds, LOOK_SECONDS)));
  };
  let [borne, over] = [0, startRate];
  for (let look = 0; look < MOST_LOOKS && (await bears(over)); look += 1) [borne, over] = [over, over * GROWTH];
  if (borne === 0) {
    throw new KedgeError(
      'model-not-ready',
      `not even ${startRate} requests a second were answered rightly; try the request by hand, or a lower --start.`,
    );
  }
  for (let look = 0; look < REFINE; look += 1) {
    const middle = (borne + over) / 2;
    if (await bears(middle)) borne = middle;
    else over = middle;
  }
  return borne;
}

/** The point of a trial. Where the server does not tell how many were under way, the law of Little does: rate times mean latency. */
export function pointOf({ total, seconds, inFlight }: Trial): CurvePoint {
  const rate = total.ok / seconds;
  const { latency } = total;
  if (!latency) return { rate, inFlight: Number.NaN, p99Ms: Number.NaN };
  return { rate, inFlight: inFlight ?? (rate * meanOf(latency)) / 1e6, p99Ms: latency.p99 / 1_000 };
}

/** Of the median: what those below it take on average. All of it where latency never varies, 0.44 where it is exponential. */
const BELOW_MEDIAN = 0.72;

/** Mean of a distribution of which only some percentiles are known, off by a seventh either way. In its unit. */
export function meanOf({ p50, p90, p99, p999, max }: Latency): number {
  return (
    0.5 * BELOW_MEDIAN * p50 +
    0.4 * between(p50, p90) +
    0.09 * between(p90, p99) +
    0.009 * between(p99, p999) +
    0.001 * between(p999, max)
  );
}

/** The logarithmic mean: tails fall off about exponentially. */
function between(a: number, b: number): number {
  return b - a > 1e-9 * a && a > 0 ? (b - a) / Math.log(b / a) : a;
}
