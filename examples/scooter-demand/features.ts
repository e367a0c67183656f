import type { Feature } from '../../contract/estimator.ts';

/** One hour in one zone, read from a domain row and checked. */
export interface Hour {
  zone: string;
  /** 0 to 23, by the clocks of the city. */
  hour: number;
  /** 0 is Sunday. */
  weekday: number;
  /** 0 is January. */
  month: number;
  holiday: boolean;
  /** °C. */
  temperature: number;
  /** mm in the hour. */
  precipitation: number;
  /** m/s. */
  wind: number;
  tripsDayAgo: number;
  tripsWeekAgo: number;
  tripsMeanWeek: number;
}

export const ZONES = ['campus', 'centre', 'east', 'harbour', 'north', 'south', 'station', 'west'] as const;

interface Column extends Feature {
  value(hour: Hour): number;
}

/** The feature schema, and where each value comes from. Whatever changes here changes the digest: raise the version too. */
export const COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'integer', encoding: 'cyclic-24', value: ({ hour }) => hour },
  { name: 'weekday', type: 'integer', encoding: 'cyclic-7', value: ({ weekday }) => weekday },
  { name: 'month', type: 'integer', encoding: 'cyclic-12', value: ({ month }) => month },
  { name: 'free_day', type: 'boolean', encoding: 'identity', value: (hour) => Number(isFreeDay(hour)) },
  { name: 'holiday', type: 'boolean', encoding: 'identity', value: ({ holiday }) => Number(holiday) },
  {
    name: 'zone',
    type: 'category',
    categories: ZONES,
    encoding: 'one-hot',
    value: ({ zone }) => (ZONES as readonly string[]).indexOf(zone),
  },
  { name: 'temperature', type: 'number', encoding: 'identity', unit: '°C', value: ({ temperature }) => temperature },
  { name: 'precipitation', type: 'number', encoding: 'log1p', unit: 'mm', value: ({ precipitation }) => precipitation },
  { name: 'wind', type: 'number', encoding: 'identity', unit: 'm/s', value: ({ wind }) => wind },
  { name: 'trips_day_ago', type: 'number', encoding: 'log1p', value: ({ tripsDayAgo }) => tripsDayAgo },
  { name: 'trips_week_ago', type: 'number', encoding: 'log1p', value: ({ tripsWeekAgo }) => tripsWeekAgo },
  { name: 'trips_mean_week', type: 'number', encoding: 'log1p', value: ({ tripsMeanWeek }) => tripsMeanWeek },
];

function isFreeDay({ weekday, holiday }: Hour): boolean {
  return holiday || weekday === 0 || weekday === 6;
}

/** The numbers that one value becomes. */
export function encodeValue(feature: Feature, value: number): number[] {
  const { encoding } = feature;
  if (encoding === 'identity') return [value];
  if (encoding === 'log1p') return [Math.log1p(value)];
  if (encoding === 'one-hot') return feature.categories!.map((_, index) => Number(index === value));
  const [, period] = /^cyclic-(\d+)$/.exec(encoding) ?? [];
  if (period === undefined) throw new Error(`feature ${feature.name} has the unknown encoding '${encoding}'`);
  const angle = (2 * Math.PI * value) / Number(period);
  return [Math.sin(angle), Math.cos(angle)];
}

/** What each element of a row of the tensor is: `hour.sin`, `zone=centre`, `wind`. */
export const ELEMENTS: readonly string[] = COLUMNS.flatMap(({ name, encoding, categories }) => {
  if (encoding === 'one-hot') return categories!.map((category) => `${name}=${category}`);
  return encoding.startsWith('cyclic-') ? [`${name}.sin`, `${name}.cos`] : [name];
});
