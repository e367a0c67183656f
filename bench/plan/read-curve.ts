import { parse } from 'csv-parse/sync';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { LoadInterval, RunRecord } from '../report/record.ts';
import { type Curve, type CurvePoint, curveOf } from './curve.ts';

const FORMS = `It holds a curve: JSON with "points", or CSV with the columns rate, inFlight and p99Ms; kedge bench plan --measure makes one. Or it is
what kedge bench load wrote of one pod, in real time, under a load that rises.`;

/**
 * Reads a curve in any of its forms.
 * @param file for messages
 * @throws KedgeError `config-invalid`
 */
export function readCurve(text: string, file: string): Curve {
  try {
    return curveOf(pointsOf(text));
  } catch (error) {
    throw new KedgeError('config-invalid', `${file} is no capacity curve: ${messageOf(error)}\n${FORMS}`, {
      cause: error,
    });
  }
}

function pointsOf(text: string): CurvePoint[] {
  if (!text.trimStart().startsWith('{')) return pointsOfCsv(text);
  const document = JSON.parse(text) as { points?: unknown } | RunRecord;
  if ('load' in document) return pointsOfRun(document);
  if (!('points' in document) || !Array.isArray(document.points)) throw new Error('it has no points.');
  return document.points.map(pointOf);
}

function pointsOfCsv(text: string): CurvePoint[] {
  return (parse(text, { columns: true, skip_empty_lines: true, trim: true }) as unknown[]).map(pointOf);
}

/** What is no number becomes NaN, of which the curve tells. */
function pointOf(point: unknown): CurvePoint {
  const { rate, inFlight, p99Ms } = (typeof point === 'object' && point !== null ? point : {}) as Record<
    keyof CurvePoint,
    unknown
  >;
  return { rate: Number(rate), inFlight: Number(inFlight), p99Ms: Number(p99Ms) };
}

/** Intervals whose rates differ by less than this part are one point. */
const SAME_RATE = 0.1;
/** And fewer of them tell nothing. */
const LEAST_INTERVALS = 3;
/** A server falls behind where so many seconds on end leave more under way than the one before, each by more than this part of what was due in it. */
const BEHIND_SECONDS = 3;
const BEHIND_PART = 0.03;

/**
 * A point for each rate that a run of one pod held: of its intervals the mean of answers a second, of what was under way, and of their 99th percentiles.
 * Where a part was not answered the pod was past its peak; where it fell behind and answered later it was too, and those seconds are left out, as no pod holds their
 * rate. In time that is compressed its rates are not per second.
 */
export function pointsOfRun({ compression, load }: Pick<RunRecord, 'compression' | 'load'>): CurvePoint[] {
  if (compression !== 1) throw new Error('it was taken in compressed time.');
  const told = withoutBehind(load.intervals).filter(({ ok, latency }) => ok > 0 && latency);
  const groups: LoadInterval[][] = [];
  for (const interval of [...told].sort((a, b) => a.scheduled - b.scheduled)) {
    const group = groups.at(-1);
    if (group && interval.scheduled <= group[0]!.scheduled * (1 + SAME_RATE)) group.push(interval);
    else groups.push([interval]);
  }
  const points = groups
    .filter((group) => group.length >= LEAST_INTERVALS)
    .map((group) => ({
      rate: meanOf(group, ({ ok }) => ok),
      inFlight: meanOf(group, ({ inFlight }) => inFlight),
      p99Ms: meanOf(group, ({ latency }) => latency!.p99 / 1_000),
    }))
    // Nothing was under way whenever it was looked: too light to tell.
    .filter(({ inFlight }) => inFlight > 0);
  if (points.length === 0) throw new Error('no rate was held for three seconds without falling behind it.');
  return points;
}

/** Intervals in order of time, but those in which a backlog grew. */
function withoutBehind(intervals: readonly LoadInterval[]): LoadInterval[] {
  const grew = intervals.map(
    ({ inFlight, scheduled }, index) => inFlight - (intervals[index - 1]?.inFlight ?? 0) > scheduled * BEHIND_PART,
  );
  const isBehind = (index: number): boolean => {
    let [from, to] = [index, index];
    while (grew[from - 1]) from -= 1;
    while (grew[to + 1]) to += 1;
    return grew[index]! && to - from + 1 >= BEHIND_SECONDS;
  };
  return intervals.filter((_, index) => !isBehind(index));
}

function meanOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0) / items.length;
}
