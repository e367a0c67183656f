import type { Feature } from '../../contract/estimator.ts';
import type { Lags } from './lags.ts';

/** All that a forecast of one hour in one zone is made from. NaN is a number that is not known. */
export interface Hour extends Lags {
  /** Hours since 1970-01-01T00:00 by the clocks of the city. */
  wallHour: number;
  holiday: boolean;
  /** °C. */
  temperature: number;
  /** mm in the hour. */
  precipitation: number;
  /** m/s. */
  wind: number;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

interface Column extends Feature {
  value(hour: Hour, calendar: Calendar): number;
}

interface Calendar {
  /** 0 to 23. */
  hour: number;
  /** An index into {@link WEEKDAYS}. */
  weekday: number;
  /** 0 is the 1st of January. */
  dayOfYear: number;
  freeDay: boolean;
}

/**
 * The feature schema, and where each value comes from. There is no zone in it: each zone has a model of its own, and what makes
 * it what it is lies in its recent trips. Whatever changes here changes what models are fed: raise the version too.
 */
export const COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'integer', encoding: 'identity', value: (_, { hour }) => hour },
  { name: 'hour_angle', type: 'integer', encoding: 'cyclic-24', value: (_, { hour }) => hour },
  {
    name: 'weekday',
    type: 'category',
    categories: WEEKDAYS,
    encoding: 'ordinal',
    value: (_, { weekday }) => weekday,
  },
  { name: 'year_angle', type: 'integer', encoding: 'cyclic-366', value: (_, { dayOfYear }) => dayOfYear },
  { name: 'free_day', type: 'boolean', encoding: 'identity', value: (_, { freeDay }) => Number(freeDay) },
  { name: 'holiday', type: 'boolean', encoding: 'identity', value: ({ holiday }) => Number(holiday) },
  { name: 'temperature', type: 'number', encoding: 'identity', unit: '°C', value: ({ temperature }) => temperature },
  { name: 'precipitation', type: 'number', encoding: 'log1p', unit: 'mm', value: ({ precipitation }) => precipitation },
  { name: 'wind', type: 'number', encoding: 'identity', unit: 'm/s', value: ({ wind }) => wind },
  lag('trips_day_ago', ({ tripsDayAgo }) => tripsDayAgo),
  lag('trips_2_days_ago', ({ trips2DaysAgo }) => trips2DaysAgo),
  lag('trips_week_ago', ({ tripsWeekAgo }) => tripsWeekAgo),
  lag('trips_2_weeks_ago', ({ trips2WeeksAgo }) => trips2WeeksAgo),
  lag('trips_mean_week', ({ tripsMeanWeek }) => tripsMeanWeek),
  lag('trips_mean_4_weeks', ({ tripsMean4Weeks }) => tripsMean4Weeks),
];

function lag(name: string, value: (hour: Hour) => number): Column {
  return { name, type: 'number', encoding: 'log1p', unit: 'trips/h', value };
}

/** One number of a row of the tensor: one column of the table that a model learns from. */
export interface Element {
  /** `hour_angle.sin`, `wind`. */
  name: string;
  /** Of a number that is a code. */
  categories?: readonly string[];
}

export const ELEMENTS: readonly Element[] = COLUMNS.flatMap(({ name, encoding, categories }) => {
  if (encoding.startsWith('cyclic-')) return [{ name: `${name}.sin` }, { name: `${name}.cos` }];
  return [{ name, ...(categories && { categories }) }];
});

/** Writes the elements of one hour to `data`, from `at`. The trainer and the server both come through here. */
export function encodeHour(hour: Hour, data: Float32Array, at: number): void {
  const calendar = calendarOf(hour);
  let next = at;
  for (const column of COLUMNS) {
    for (const number of encodeValue(column, column.value(hour, calendar))) data[next++] = number;
  }
}

const MS_PER_HOUR = 3_600_000;

function calendarOf({ wallHour, holiday }: Hour): Calendar {
  // UTC serves as a calendar without summer time.
  const date = new Date(wallHour * MS_PER_HOUR);
  const weekday = date.getUTCDay();
  return {
    hour: date.getUTCHours(),
    weekday,
    dayOfYear: Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / (24 * MS_PER_HOUR)),
    freeDay: holiday || weekday === 0 || weekday === 6,
  };
}

/** The numbers that one value becomes; a value that is not known stays NaN. */
export function encodeValue({ name, encoding }: Feature, value: number): number[] {
  if (encoding === 'identity' || encoding === 'ordinal') return [value];
  if (encoding === 'log1p') return [Math.log1p(value)];
  const [, period] = /^cyclic-(\d+)$/.exec(encoding) ?? [];
  if (period === undefined) throw new Error(`feature ${name} has the unknown encoding '${encoding}'`);
  const angle = (2 * Math.PI * value) / Number(period);
  return [Math.sin(angle), Math.cos(angle)];
}
