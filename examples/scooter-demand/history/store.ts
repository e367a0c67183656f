import type { Session } from '../../../trainer/history/database.ts';

export interface City {
  timeZone: string;
  source: 'synthetic' | 'imported';
  /** Of the generator, as JSON. */
  settings: string;
}

export interface TripsRow {
  zone: string;
  /** Seconds since the epoch, UTC, at which the hour begins. */
  utc: number;
  trips: number;
}

/** What is not known is null. */
export interface WeatherRow {
  utc: number;
  /** °C. */
  temperature: number | null;
  /** mm in the hour. */
  precipitation: number | null;
  /** m/s. */
  wind: number | null;
}

export interface Holiday {
  /** By the calendar of the city: 2026-12-25. */
  day: string;
  name: string;
}

/** @returns undefined while the history is empty */
export async function readCity(session: Session): Promise<City | undefined> {
  const [city] = await session.query<City>('select time_zone as "timeZone", source, settings from scooter_demand.city');
  return city;
}

export async function writeCity(session: Session, { timeZone, source, settings }: City): Promise<void> {
  await session.query(
    `insert into scooter_demand.city (time_zone, source, settings) values ($1, $2, $3)
      on conflict (sole) do update set time_zone = excluded.time_zone, source = excluded.source, settings = excluded.settings`,
    [timeZone, source, settings],
  );
}

export async function readZones(session: Session): Promise<string[]> {
  const rows = await session.query<{ zone: string }>('select zone from scooter_demand.zones order by zone');
  return rows.map(({ zone }) => zone);
}

export async function writeZones(session: Session, zones: readonly string[]): Promise<void> {
  await session.query(
    'insert into scooter_demand.zones select * from unnest($1::text[]) on conflict (zone) do nothing',
    [zones],
  );
}

/** Whatever was there for the same zone and hour is replaced. No zone and hour may come twice in `rows`. */
export async function writeTrips(session: Session, rows: readonly TripsRow[]): Promise<void> {
  await session.query(
    `insert into scooter_demand.trips
      select zone, to_timestamp(utc), trips from unnest($1::text[], $2::float8[], $3::int[]) as t (zone, utc, trips)
      on conflict (zone, hour) do update set trips = excluded.trips`,
    [rows.map(({ zone }) => zone), rows.map(({ utc }) => utc), rows.map(({ trips }) => trips)],
  );
}

/** Whatever was there for the same hour is replaced. */
export async function writeWeather(session: Session, rows: readonly WeatherRow[]): Promise<void> {
  await session.query(
    `insert into scooter_demand.weather
      select to_timestamp(utc), temperature, precipitation, wind
      from unnest($1::float8[], $2::float8[], $3::float8[], $4::float8[]) as t (utc, temperature, precipitation, wind)
      on conflict (hour) do update set
        temperature = excluded.temperature, precipitation = excluded.precipitation, wind = excluded.wind`,
    [
      rows.map(({ utc }) => utc),
      rows.map(({ temperature }) => temperature),
      rows.map(({ precipitation }) => precipitation),
      rows.map(({ wind }) => wind),
    ],
  );
}

export async function readHolidays(session: Session): Promise<Holiday[]> {
  return session.query<Holiday>('select day::text as day, name from scooter_demand.holidays order by day');
}

export async function writeHolidays(session: Session, rows: readonly Holiday[]): Promise<void> {
  await session.query(
    `insert into scooter_demand.holidays
      select day::date, name from unnest($1::text[], $2::text[]) as t (day, name)
      on conflict (day) do update set name = excluded.name`,
    [rows.map(({ day }) => day), rows.map(({ name }) => name)],
  );
}

/** Takes everything out, and leaves the schema. */
export async function clearHistory(session: Session): Promise<void> {
  await session.query(
    'truncate scooter_demand.city, scooter_demand.zones, scooter_demand.trips, scooter_demand.weather, scooter_demand.holidays',
  );
}
