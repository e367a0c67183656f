import { KedgeError } from '../../../contract/errors.ts';
import { nearest } from '../../../contract/nearest.ts';
import { CityClock, hourText } from '../../../trainer/history/city-clock.ts';
import { Coverage } from '../../../trainer/history/coverage.ts';
import type { Database } from '../../../trainer/history/database.ts';
import type { HistoryRow, HistorySet, Window } from '../../../trainer/history/source.ts';
import { checkTrainingSet, type Table } from '../../../trainer/table.ts';
import { ELEMENTS, encodeHour, type Hour } from '../features.ts';
import { REACH, RecentTrips } from '../lags.ts';
import { rowOf } from '../row.ts';
import { readCity, readHolidays, readZones } from './store.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Four weeks: each hour of the week four times, and as far as the lags reach. */
const LEAST_HOURS = 4 * 7 * 24;

/** The table of one zone for the trainer, its columns the elements of the estimator's tensor. See `TrainingSource`. */
export async function readTraining(database: Database, zone: string, window: Window = {}): Promise<HistorySet> {
  const within = await boundsOf(database, zone, window);
  const coverage = new Coverage({ what: `zone '${zone}'`, least: LEAST_HOURS });
  const columns = new Columns(Math.ceil((within.to - within.from) / HOUR));
  let noWeather = 0;
  await eachHour(database, zone, within, (utc, hour, trips) => {
    if (trips === undefined) return;
    coverage.add(utc, trips);
    if (Number.isNaN(hour.temperature + hour.precipitation + hour.wind)) noWeather += 1;
    columns.add(utc, hour, trips);
  });
  const notes = coverage.judge();
  const set = columns.finish();
  if (noWeather > 0) notes.push(`${noWeather} of ${set.table.rows} hours lack weather, or some of it.`);
  checkTrainingSet(set, `history of zone '${zone}'`);
  return { ...set, notes };
}

/** The columns of {@link readTraining} for a window, however short. */
export async function readRecent(database: Database, zone: string, window: Required<Window>): Promise<Table> {
  const { from, to } = window as Bounds;
  const columns = new Columns(Math.ceil((to - from) / HOUR));
  await eachHour(database, zone, { from, to }, (utc, hour, trips) => {
    if (trips !== undefined) columns.add(utc, hour, trips);
  });
  return columns.finish().table;
}

/** The hours of a window for which there is weather, as a caller would post them to the model of the zone. */
export async function readRows(database: Database, zone: string, window: Required<Window>): Promise<HistoryRow[]> {
  await boundsOf(database, zone, {});
  const rows: HistoryRow[] = [];
  await eachHour(database, zone, window as Bounds, (utc, hour, trips) => {
    if (Number.isNaN(hour.temperature + hour.precipitation + hour.wind)) return;
    rows.push({ utc, row: rowOf(hour), ...(trips !== undefined && { target: trips }) });
  });
  return rows;
}

interface Bounds {
  from: number;
  to: number;
}

/** Where the history of a zone begins and ends within a window. @throws KedgeError `data-invalid` if it has nothing there */
async function boundsOf(database: Database, zone: string, { from, to }: Window): Promise<Bounds> {
  const [row] = await database.query<{ first: number | null; last: number | null }>(
    `select extract(epoch from min(hour))::float8 as first, extract(epoch from max(hour))::float8 as last
      from scooter_demand.trips where zone = $1`,
    [zone],
  );
  if (row?.first == null || row.last == null) throw await nothingOf(database, zone);
  const bounds = { from: Math.max(from ?? row.first, row.first), to: Math.min(to ?? Infinity, row.last + HOUR) };
  if (bounds.from < bounds.to) return bounds;
  const reaches = `it reaches from ${hourText(row.first)}Z to ${hourText(row.last)}Z`;
  throw new KedgeError('data-invalid', `The history of zone '${zone}' has no hours in the window; ${reaches}.`);
}

async function nothingOf(database: Database, zone: string): Promise<KedgeError> {
  const zones = await readZones(database);
  if (zones.includes(zone)) return new KedgeError('data-invalid', `The history of zone '${zone}' is empty.`);
  if (zones.length === 0) {
    const how = 'kedge history import brings one in, kedge history fill makes one up';
    return new KedgeError('data-invalid', `The history in ${database.place} is empty: ${how}.`);
  }
  const meant = nearest(zone, zones);
  const hint = meant === undefined ? 'kedge history show lists them.' : `is '${meant}' meant?`;
  return new KedgeError('data-invalid', `The history has no zone '${zone}' among its ${zones.length}; ${hint}`);
}

interface HourRow {
  utc: number;
  trips: number | null;
  temperature: number | null;
  precipitation: number | null;
  wind: number | null;
}

/** Trips or weather may be missing in an hour, but not both. What lies before the window is read for its lags. */
const HOURS = `
  select extract(epoch from hour)::float8 as utc, t.trips::float8 as trips, w.temperature, w.precipitation, w.wind
  from (select hour, trips from scooter_demand.trips
    where zone = $1 and hour >= to_timestamp($2::float8) and hour < to_timestamp($3::float8)) t
  full join (select * from scooter_demand.weather
    where hour >= to_timestamp($2::float8) and hour < to_timestamp($3::float8)) w using (hour)
  order by hour`;

/** Calls `visit` for each hour of a window, in order. The hour is one object, filled anew each time. */
async function eachHour(
  database: Database,
  zone: string,
  { from, to }: Bounds,
  visit: (utc: number, hour: Hour, trips: number | undefined) => void,
): Promise<void> {
  const city = await readCity(database);
  const clock = new CityClock(city?.timeZone ?? 'UTC');
  // By the number of the day: names of days are slow to make for every hour.
  const holidays = new Set((await readHolidays(database)).map(({ day }) => Date.parse(day) / 1000 / DAY));
  const recent = new RecentTrips();
  const hour = {} as Hour;
  // A day more, as the clocks may have gone forward or back in between.
  const lead = (REACH + 24) * HOUR;
  for await (const batch of database.cursor<HourRow>(HOURS, [zone, from - lead, to])) {
    for (const { utc, trips, temperature, precipitation, wind } of batch) {
      const wall = clock.wallOf(utc);
      hour.wallHour = Math.floor(wall / HOUR);
      if (utc >= from) {
        hour.holiday = holidays.has(Math.floor(wall / DAY));
        hour.temperature = temperature ?? Number.NaN;
        hour.precipitation = precipitation ?? Number.NaN;
        hour.wind = wind ?? Number.NaN;
        Object.assign(hour, recent.lagsOf(hour.wallHour));
        visit(utc, hour, trips ?? undefined);
      }
      if (trips !== null) recent.add(hour.wallHour, trips);
    }
  }
}

/** Columns that are filled hour by hour. They are made once, as long as the window has hours, and cut at the end. */
class Columns {
  readonly #values: Float32Array[];
  readonly #target: Float64Array;
  readonly #times: Float64Array;
  readonly #encoded = new Float32Array(ELEMENTS.length);
  #rows = 0;

  constructor(hours: number) {
    this.#values = ELEMENTS.map(() => new Float32Array(hours));
    this.#target = new Float64Array(hours);
    this.#times = new Float64Array(hours);
  }

  add(utc: number, hour: Hour, trips: number): void {
    const row = this.#rows;
    if (row === this.#target.length) {
      throw new KedgeError('data-invalid', `The history has more rows than hours before ${hourText(utc)}Z.`);
    }
    encodeHour(hour, this.#encoded, 0);
    for (const [index, values] of this.#values.entries()) values[row] = this.#encoded[index]!;
    this.#target[row] = trips;
    this.#times[row] = utc;
    this.#rows += 1;
  }

  finish(): Omit<HistorySet, 'notes'> {
    const rows = this.#rows;
    return {
      table: {
        rows,
        columns: ELEMENTS.map(({ name, categories }, index) => ({
          name,
          kind: categories ? 'categorical' : 'numeric',
          values: this.#values[index]!.subarray(0, rows),
          ...(categories && { categories }),
        })),
      },
      target: this.#target.subarray(0, rows),
      times: this.#times.subarray(0, rows),
    };
  }
}
