import type { TrainingSet } from '../table.ts';
import type { Split } from './splits.ts';

export interface NaiveOptions {
  /** In the unit of the times; a week of seconds is 604800. */
  season: number;
  /** By row of the table: rows of one group are forecast from that group alone. */
  groups?: readonly string[] | undefined;
}

/** How many seasons are gone back before the mean is taken instead. */
const MOST_SEASONS = 60;

/**
 * The forecast that any model must beat: what was at the same time of the latest season that the training part knows (Hyndman and Athanasopoulos, Forecasting: Principles
 * and Practice, 5.2, "seasonal naïve method"); the mean of the group's training rows where no season has that time.
 * @returns the answer for each test row
 */
export function seasonalNaive(
  { target, times }: Pick<TrainingSet, 'target' | 'times'>,
  { train, test }: Split,
  { season, groups }: NaiveOptions,
): Float64Array {
  const groupOf = (row: number): string => groups?.[row] ?? '';
  const known = new Map<string, Map<number, number>>();
  const sums = new Map<string, { sum: number; count: number; newest: number }>();
  for (const row of train) {
    const group = groupOf(row);
    const time = times?.[row] ?? Number.NaN;
    if (!known.has(group)) known.set(group, new Map());
    known.get(group)!.set(time, target[row]!);
    const entry = sums.get(group) ?? { sum: 0, count: 0, newest: Number.NEGATIVE_INFINITY };
    entry.sum += target[row]!;
    entry.count += 1;
    if (time > entry.newest) entry.newest = time;
    sums.set(group, entry);
  }
  const overall = meanOf(target, train);
  return Float64Array.from(test, (row) => {
    const group = groupOf(row);
    const entry = sums.get(group);
    if (!entry) return overall;
    const time = times?.[row] ?? Number.NaN;
    const first = Math.max(1, Math.ceil((time - entry.newest) / season));
    for (let back = first; back < first + MOST_SEASONS; back += 1) {
      const value = known.get(group)!.get(time - back * season);
      if (value !== undefined) return value;
    }
    return entry.sum / entry.count;
  });
}

export function meanOf(values: Float64Array, rows: Uint32Array): number {
  let sum = 0;
  for (const row of rows) sum += values[row]!;
  return sum / rows.length;
}
