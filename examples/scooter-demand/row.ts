import type { RowField } from '../../contract/estimator.ts';
import { nearest } from '../../contract/nearest.ts';
import type { Hour } from './features.ts';
import type { Lags } from './lags.ts';

interface NumberField extends RowField {
  key: Exclude<keyof Hour, 'wallHour' | 'holiday'>;
  min: number;
  max: number;
}

const WEATHER: readonly NumberField[] = [
  {
    key: 'temperature',
    name: 'temperature',
    type: 'number',
    required: true,
    example: 7.5,
    description: 'Forecast air temperature in °C',
    min: -60,
    max: 60,
  },
  {
    key: 'precipitation',
    name: 'precipitation',
    type: 'number',
    required: true,
    example: 0.4,
    description: 'Forecast rain or snow in the hour, in mm',
    min: 0,
    max: 500,
  },
  {
    key: 'wind',
    name: 'wind',
    type: 'number',
    required: true,
    example: 3,
    description: 'Forecast wind speed in m/s',
    min: 0,
    max: 120,
  },
];

const LAGS: readonly NumberField[] = [
  lag('tripsDayAgo', 'trips_day_ago', 40, 'Trips from the zone in the same hour, a day before'),
  lag('trips2DaysAgo', 'trips_2_days_ago', 43, 'Trips from the zone in the same hour, two days before'),
  lag('tripsWeekAgo', 'trips_week_ago', 36, 'Trips from the zone in the same hour, a week before'),
  lag('trips2WeeksAgo', 'trips_2_weeks_ago', 38, 'Trips from the zone in the same hour, two weeks before'),
  lag(
    'tripsMeanWeek',
    'trips_mean_week',
    12.5,
    'Mean trips an hour over the 168 hours up to the same hour a day before',
  ),
  lag('tripsMean4Weeks', 'trips_mean_4_weeks', 37, 'Mean trips in the same hour 7, 14, 21 and 28 days before'),
];

function lag(key: keyof Lags, name: string, example: number, what: string): NumberField {
  const description = `${what}; left out if not known`;
  return { key, name, type: 'number', required: false, example, description, min: 0, max: 1e6 };
}

const NUMBERS = [...WEATHER, ...LAGS];

/** What a caller writes for one hour. The row goes to the model of its zone. */
export const ROW: readonly RowField[] = [
  {
    name: 'time',
    type: 'string',
    required: true,
    example: '2026-11-23T17:00',
    description: 'The full hour by the clocks of the city, without an offset: 2026-11-23T17:00',
  },
  ...WEATHER.map(fieldOf),
  { name: 'holiday', type: 'boolean', required: false, description: 'A public holiday; false if left out' },
  ...LAGS.map(fieldOf),
];

function fieldOf({ key: _key, min: _min, max: _max, ...field }: NumberField): RowField {
  return field;
}

const NAMES = new Set(ROW.map(({ name }) => name));

/** Wall-clock time on the full hour. An offset is refused rather than converted: the hour of the city is what counts. */
const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2})(?::00(?::00)?)?$/;

const MS_PER_HOUR = 3_600_000;

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads what a caller wrote. Fields that are not known are passed over: a client sends what the next version wants before all
 * servers run it. But one that looks like a field which is absent is misspelt: a lag would count as left out, and the forecast
 * would be worse without a word.
 * @throws Error that names the row, the field and what it must be
 */
export function readHour(row: Row, index: number): Hour {
  const wrong = (field: string, rule: string): Error =>
    new Error(`instances[${index}].${field} must be ${rule}, not ${JSON.stringify(row[field])}`);
  for (const name of Object.keys(row)) {
    const meant = NAMES.has(name) ? undefined : nearest(name, NAMES);
    if (meant !== undefined && row[meant] === undefined)
      throw new Error(`instances[${index}].${name} is no field; '${meant}' is`);
  }
  const holiday = row['holiday'] ?? false;
  if (typeof holiday !== 'boolean') throw wrong('holiday', 'true or false');
  const wallHour = readTime(row['time']);
  if (wallHour === undefined) {
    throw wrong('time', 'a full hour by the clocks of the city, such as 2026-11-23T17:00');
  }
  const hour = { wallHour, holiday } as Hour;
  for (const { key, name, required, min, max } of NUMBERS) {
    const value = row[name];
    if (typeof value === 'number' && value >= min && value <= max) hour[key] = value;
    else if (!required && (value === undefined || value === null)) hour[key] = Number.NaN;
    else throw wrong(name, `a number from ${min} to ${max}`);
  }
  return hour;
}

/** What a caller would write for an hour: what {@link readHour} reads back as the same. */
export function rowOf(hour: Hour): Record<string, unknown> {
  const known = NUMBERS.filter(({ key }) => !Number.isNaN(hour[key]));
  return {
    time: new Date(hour.wallHour * MS_PER_HOUR).toISOString().slice(0, 16),
    holiday: hour.holiday,
    ...Object.fromEntries(known.map(({ key, name }) => [name, hour[key]])),
  };
}

function readTime(value: unknown): number | undefined {
  const parts = typeof value === 'string' ? TIME.exec(value) : null;
  if (!parts) return undefined;
  const [year, month, day, hour] = parts.slice(1).map(Number) as [number, number, number, number];
  // A day or hour that does not exist comes back as another one.
  const date = new Date(Date.UTC(year, month - 1, day, hour));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || date.getUTCHours() !== hour) return undefined;
  return date.getTime() / MS_PER_HOUR;
}
