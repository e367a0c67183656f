import type { RowField } from '../../contract/estimator.ts';
import { type Hour, ZONES } from './features.ts';

/** What a caller writes for one hour in one zone. */
export const ROW: readonly RowField[] = [
  { name: 'zone', type: 'string', required: true, example: ZONES[0], description: `One of ${ZONES.join(', ')}` },
  {
    name: 'time',
    type: 'string',
    required: true,
    example: '2026-11-23T17:00',
    description: 'The full hour by the clocks of the city, without an offset: 2026-11-23T17:00',
  },
  { name: 'temperature', type: 'number', required: true, example: 7.5, description: 'Forecast air temperature in °C' },
  {
    name: 'precipitation',
    type: 'number',
    required: true,
    example: 0.4,
    description: 'Forecast rain or snow in the hour, in mm',
  },
  { name: 'wind', type: 'number', required: true, example: 3, description: 'Forecast wind speed in m/s' },
  { name: 'holiday', type: 'boolean', required: false, description: 'A public holiday; false if left out' },
  {
    name: 'trips_day_ago',
    type: 'number',
    required: true,
    example: 40,
    description: 'Trips from the zone in the same hour, a day before',
  },
  {
    name: 'trips_week_ago',
    type: 'number',
    required: true,
    example: 36,
    description: 'Trips from the zone in the same hour, a week before',
  },
  {
    name: 'trips_mean_week',
    type: 'number',
    required: true,
    example: 12.5,
    description: 'Mean trips an hour from the zone over the 7 days before',
  },
];

/** Wall-clock time on the full hour. An offset is refused rather than converted: the hour of the city is what counts. */
const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2})(?::00(?::00)?)?$/;

type Row = Readonly<Record<string, unknown>>;

/** @throws Error that names the row, the field and what it must be */
export function readHour(row: Row, index: number): Hour {
  const wrong = (field: string, rule: string): Error =>
    new Error(`instances[${index}].${field} must be ${rule}, not ${JSON.stringify(row[field])}`);
  const number = (field: string, min: number, max: number): number => {
    const value = row[field];
    if (typeof value === 'number' && value >= min && value <= max) return value;
    throw wrong(field, `a number from ${min} to ${max}`);
  };
  const zone = row['zone'];
  if (typeof zone !== 'string' || !(ZONES as readonly string[]).includes(zone)) {
    throw wrong('zone', `one of ${ZONES.join(', ')}`);
  }
  const holiday = row['holiday'] ?? false;
  if (typeof holiday !== 'boolean') throw wrong('holiday', 'true or false');
  const time = readTime(row['time']);
  if (!time) throw wrong('time', 'a full hour by the clocks of the city, such as 2026-11-23T17:00');
  return {
    zone,
    ...time,
    holiday,
    temperature: number('temperature', -60, 60),
    precipitation: number('precipitation', 0, 500),
    wind: number('wind', 0, 120),
    tripsDayAgo: number('trips_day_ago', 0, 1e6),
    tripsWeekAgo: number('trips_week_ago', 0, 1e6),
    tripsMeanWeek: number('trips_mean_week', 0, 1e6),
  };
}

function readTime(value: unknown): Pick<Hour, 'hour' | 'weekday' | 'month'> | undefined {
  const parts = typeof value === 'string' ? TIME.exec(value) : null;
  if (!parts) return undefined;
  const [year, month, day, hour] = parts.slice(1).map(Number) as [number, number, number, number];
  // UTC serves as a calendar without summer time; a day or hour that does not exist comes back as another one.
  const date = new Date(Date.UTC(year, month - 1, day, hour));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || date.getUTCHours() !== hour) return undefined;
  return { hour, weekday: date.getUTCDay(), month: month - 1 };
}
