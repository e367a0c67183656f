import { KedgeError } from '../../contract/errors.ts';
import { isDriverLate } from '../report/driver.ts';
import { latencyText, numberText } from '../report/format.ts';
import type { Latency, LoadTotal } from '../report/record.ts';
import type { CurvePoint } from './curve.ts';

/** What came of one rate that was held for some seconds. */
export interface Trial {
  total: LoadTotal;
  seconds: number;
  /** Requests that were under way when these seconds were over; `total` counts what became of them too. */
  left: number;
  /** Average number under way, where the server tells; reckoned from latencies if undefined. */
  inFlight: number | undefined;
  /** What went wrong first, in words. */
  problem?: string | undefined;
}

/** Offers a rate for some seconds. What is not answered within a time of when it was due, in milliseconds, failed. */
export type Ask = (rate: number, seconds: number, timeoutMs: number) => Promise<Trial>;

export interface MeasureOptions {
  /** A rate that any pod bears, per second. */
  startRate: number;
  /** Of each rate of the curve. */
  seconds: number;
  /** Parts of the peak that become points. */
  parts?: readonly number[];
  /** Told before each trial. */
  onTrial?: (done: number, of: number, rate: number) => void;
  /** Told of a rate that was not borne, or became a point, while the driver itself was so late that it was part of what was measured. In microseconds. */
  onLate?: (rate: number, behindP99: number) => void;
}

const PARTS = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.88, 0.95];
/** While it looks for the peak, at most. */
const LOOK_SECONDS = 2;
/** A pod bears a rate if it answers this part of it while it lasts. */
const BORNE = 0.97;
/** What is under way for so many times as long as an answer takes alone is work in hand; more is a backlog. */
const IN_HAND = 2;
/** And so many are under way by chance, as arrivals come in clusters. */
const BY_CHANCE = 4;
/** A trial lasts for so many answers one after another, as what is in hand at its end would weigh too much otherwise; but no longer than the second. */
const ANSWERS = 40;
const LONGEST_SECONDS = 30;
/** Where it is not yet known how long an answer takes, and for points, whose latencies count. */
const TIMEOUT_MS = 10_000;
const LEAST_TIMEOUT_MS = 1_000;
const MOST_AGAIN = 2;
const GROWTH = 1.6;
const MOST_LOOKS = 40;
/** Looks between the rate that was borne and the one that was not. */
const REFINE = 3;

/**
 * Measures one pod: raises the rate until not all of it is answered while it is offered, and then holds parts of what was, each for some seconds, or for longer
 * where single answers take long.
 * @throws KedgeError `model-not-ready` where even the first rate is not answered
 */
export async function measureCurve(ask: Ask, options: MeasureOptions): Promise<CurvePoint[]> {
  const { parts = PARTS, seconds, startRate, onTrial, onLate } = options;
  const lookSeconds = Math.min(seconds, LOOK_SECONDS);
  onTrial?.(0, 0, startRate);
  const answerSeconds = secondsOfAnswer(await ask(startRate, lookSeconds, TIMEOUT_MS));
  const least = Math.min(LONGEST_SECONDS, ANSWERS * answerSeconds);
  const pod = { ask, answerSeconds, lookSeconds: Math.max(lookSeconds, least) };
  const peak = await peakRate(pod, options);
  const points: CurvePoint[] = [];
  for (const [index, part] of parts.entries()) {
    onTrial?.(index, parts.length, peak * part);
    const trial = await askAgain(pod, peak * part, Math.max(seconds, least));
    if (isDriverLate(trial.total)) onLate?.(peak * part, trial.total.behindP99);
    points.push(pointOf(trial));
  }
  return points;
}

/** What is known of a pod before its peak is looked for. */
interface Pod {
  ask: Ask;
  /** How long it takes for one, at the first rate. */
  answerSeconds: number;
  /** Of each rate while it looks for the peak. */
  lookSeconds: number;
}

function secondsOfAnswer({ total }: Trial): number {
  return (total.latency?.p50 ?? 0) / 1e6;
}

/** A rate below the peak that is not borne, or a driver that is late, met with something else on the machine: it is asked for again, a few times. */
async function askAgain({ ask, answerSeconds }: Pod, rate: number, seconds: number): Promise<Trial> {
  let trial = await ask(rate, seconds, TIMEOUT_MS);
  const isGood = (): boolean => isBorne(trial, answerSeconds) && !isDriverLate(trial.total);
  for (let again = 0; again < MOST_AGAIN && !isGood(); again += 1) trial = await ask(rate, seconds, TIMEOUT_MS);
  return trial;
}

/**
 * Whether all but a little was answered while the rate was offered. A server that falls behind answers the rest of it later, which proves no rate; but what is due just before the
 * end cannot be answered before it.
 */
function isBorne({ total, seconds, left }: Trial, answerSeconds: number): boolean {
  const inHand = BY_CHANCE + (IN_HAND * answerSeconds * total.scheduled) / seconds;
  return total.ok - Math.max(0, left - inHand) >= total.scheduled * BORNE;
}

/** The highest rate that was borne, between growing ones, and then between the last that was and the first that was not. */
async function peakRate(
  { ask, answerSeconds, lookSeconds }: Pod,
  { startRate, onTrial, onLate }: MeasureOptions,
): Promise<number> {
  const timeoutMs = Math.max(LEAST_TIMEOUT_MS, lookSeconds * 1_000);
  let problem: string | undefined;
  const bears = async (rate: number): Promise<boolean> => {
    onTrial?.(0, 0, rate);
    const trial = await ask(rate, lookSeconds, timeoutMs);
    problem = trial.problem;
    const isOver = !isBorne(trial, answerSeconds);
    if (isOver && isDriverLate(trial.total)) onLate?.(rate, trial.total.behindP99);
    return !isOver;
  };
  let [borne, over] = [0, startRate];
  for (let look = 0; look < MOST_LOOKS && (await bears(over)); look += 1) [borne, over] = [over, over * GROWTH];
  if (borne === 0) {
    throw new KedgeError(
      'model-not-ready',
      `not even ${startRate} requests a second were answered rightly${problem === undefined ? '' : ` (${problem})`}; try the request by hand, or a lower --start.`,
    );
  }
  for (let look = 0; look < REFINE; look += 1) {
    const middle = (borne + over) / 2;
    if (await bears(middle)) borne = middle;
    else over = middle;
  }
  return borne;
}

/**
 * The point of a trial: its rate is what was answered rightly before it was over. Where the server does not tell how many were under way, the law of Little does: rate
 * times mean latency.
 */
export function pointOf({ total, seconds, left, inFlight }: Trial): CurvePoint {
  const rate = Math.max(0, total.ok - left) / seconds;
  const { latency } = total;
  if (!latency) return { rate, inFlight: Number.NaN, p99Ms: Number.NaN };
  return { rate, inFlight: inFlight ?? (rate * meanOf(latency)) / 1e6, p99Ms: latency.p99 / 1_000 };
}

export function lateText(rate: number, behindP99: number): string {
  return `at ${numberText(Math.round(rate))} requests a second the driver itself was ${latencyText(behindP99)} behind its schedule (p99): what was measured is in part the driver. Take a machine that does nothing else.`;
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
