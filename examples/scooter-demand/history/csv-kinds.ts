/** What the files of a history hold: their columns, how a line is read, and where it goes. */

/** A line that was read, as it waits in the staging table. */
interface Line {
  zone: string;
  time: string;
  values: (number | null)[];
}

export interface CsvKind {
  name: 'trips' | 'weather';
  columns: readonly string[];
  /** @throws Error whose message goes on after "line 3: " */
  read(record: Readonly<Record<string, string>>): Line;
  /** Of the staging table (line, zone, utc, a, b, c), where each zone and hour is once: what takes its rows to where they belong. */
  store: readonly string[];
  /** How many rows change what is in the history. */
  changed: string;
}

const ZONE = /^[a-z0-9][a-z0-9._-]{0,99}$/;

export const TRIPS: CsvKind = {
  name: 'trips',
  columns: ['zone', 'time', 'trips'],
  read: ({ zone = '', time = '', trips = '' }) => {
    if (!ZONE.test(zone)) {
      throw new Error(
        `zone is '${zone}'; zones are named by 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, as their models are`,
      );
    }
    if (!/^\d{1,7}(\.0+)?$/.test(trips)) throw new Error(`trips is '${trips}', which is no whole number from 0`);
    return { zone, time, values: [Number(trips), null, null] };
  },
  store: [
    'insert into scooter_demand.zones select distinct zone from staging on conflict (zone) do nothing',
    `insert into scooter_demand.trips select zone, to_timestamp(utc), a::int from staging
      on conflict (zone, hour) do update set trips = excluded.trips`,
  ],
  changed: `select count(*)::int as n from staging s
    join scooter_demand.trips t on t.zone = s.zone and t.hour = to_timestamp(s.utc) where t.trips <> s.a`,
};

export const WEATHER: CsvKind = {
  name: 'weather',
  columns: ['time', 'temperature', 'precipitation', 'wind'],
  read: ({ time = '', temperature = '', precipitation = '', wind = '' }) => ({
    zone: '',
    time,
    values: [
      number('temperature', temperature, -60, 60),
      number('precipitation', precipitation, 0, 500),
      number('wind', wind, 0, 120),
    ],
  }),
  store: [
    `insert into scooter_demand.weather select to_timestamp(utc), a, b, c from staging
      on conflict (hour) do update set
        temperature = excluded.temperature, precipitation = excluded.precipitation, wind = excluded.wind`,
  ],
  changed: `select count(*)::int as n from staging s join scooter_demand.weather w on w.hour = to_timestamp(s.utc)
    where (w.temperature, w.precipitation, w.wind) is distinct from (s.a, s.b, s.c)`,
};

/** An empty field, and what programs write for one, is a value that is not known. */
function number(name: string, text: string, min: number, max: number): number | null {
  if (/^(|nan|na|n\/a|null|none)$/i.test(text)) return null;
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new Error(`${name} is '${text}', which is no number from ${min} to ${max}`);
}
