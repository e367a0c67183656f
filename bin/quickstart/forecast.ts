import { KedgeError } from '../../contract/errors.ts';
import { meanAbsoluteError } from '../../trainer/evaluate/metrics.ts';
import type { HistoryRow } from '../../trainer/history/source.ts';

/** Trips of one zone in one hour. */
export interface ForecastHour {
  /** 0 to 23, by the clocks of the city. */
  hour: number;
  forecast: number;
  /** What the rule of thumb says: as many as in the same hour a week before. */
  naive: number;
  /** Absent while it is not known, and where the sensors failed. */
  came?: number;
}

/** Mean absolute errors in trips an hour, over the hours of which it is known what came. */
export interface DayError {
  hours: number;
  model: number;
  naive: number;
}

/** Puts the answers of a server, one for each row and in their order, beside what the rows say of a week ago, and what came. Pure. */
export function forecastHours(rows: readonly HistoryRow[], trips: readonly number[]): ForecastHour[] {
  return rows.map(({ row, target }, index) => ({
    hour: Number(String(row['time']).slice(11, 13)),
    forecast: trips[index]!,
    naive: naiveOf(row),
    ...(target !== undefined && { came: target }),
  }));
}

/** The seasonal naive forecast; where the history has a gap there, the season before that, or the mean of the last week. */
function naiveOf(row: HistoryRow['row']): number {
  return Number(row['trips_week_ago'] ?? row['trips_2_weeks_ago'] ?? row['trips_mean_week'] ?? 0);
}

/** Pure. @throws KedgeError `data-invalid` where it is not known of any hour what came */
export function errorOf(hours: readonly ForecastHour[]): DayError {
  const known = hours.filter(({ came }) => came !== undefined);
  if (known.length === 0) throw new KedgeError('data-invalid', 'The history has no hour of the day that was forecast.');
  const target = Float64Array.from(known, ({ came }) => came!);
  const of = (value: (hour: ForecastHour) => number): number =>
    meanAbsoluteError({ target, answers: Float64Array.from(known, value) });
  return { hours: known.length, model: of(({ forecast }) => forecast), naive: of(({ naive }) => naive) };
}
