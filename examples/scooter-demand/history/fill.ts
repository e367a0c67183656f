import { KedgeError } from '../../../contract/errors.ts';
import { dayText } from '../../../trainer/history/city-clock.ts';
import type { Database } from '../../../trainer/history/database.ts';
import { clearHistory, readCity, writeCity, writeHolidays, writeTrips, writeWeather, writeZones } from './store.ts';
import { type CitySettings, SyntheticCity } from './synthetic/city.ts';

const HOUR = 3600;
const BATCH = 5_000;

/** Weather is made up for two days more: it stands for the forecast that there is of what is to come. */
const FORECAST = 48 * HOUR;

export interface FillOptions extends CitySettings {
  /** Seconds since the epoch, on the hour by the clocks of the city; `to` is the first that is left out. */
  from: number;
  to: number;
  /** Take out first whatever is there. */
  replace?: boolean;
  /** Zone-hours. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface Filled {
  zones: number;
  /** Zone-hours written; hours that the sensors of the city missed are not among them. */
  hours: number;
}

/**
 * Makes up a history. A history that was made up with the same settings is gone on with: what was there stays as it is, as the
 * same hour always comes out the same. So it can be broken off and called again, and called again each day.
 * @throws KedgeError `conflict` where there is another history
 */
export async function fillHistory(database: Database, options: FillOptions): Promise<Filled> {
  const { seed, zones, timeZone, from, to, replace = false, onProgress, signal } = options;
  const settings = JSON.stringify({ seed, zones, timeZone });
  await database.transaction(async (session) => {
    if (replace) await clearHistory(session);
    const there = await readCity(session);
    if (there && there.settings !== settings) {
      const what = there.source === 'imported' ? 'one that was imported' : `one made up with ${there.settings}`;
      throw new KedgeError(
        'conflict',
        `There is a history in ${database.place} already, ${what}. Use another database or folder, or give --replace to take it out.`,
      );
    }
    await writeCity(session, { timeZone, source: 'synthetic', settings });
  });
  const city = new SyntheticCity({ seed, zones, timeZone });
  const [firstYear, lastYear] = [from, to + FORECAST].map((utc) => Number(dayText(utc).slice(0, 4))) as [
    number,
    number,
  ];
  await writeHolidays(database, city.holidays(firstYear, lastYear));
  for (const rows of batches(city.weather(from, to + FORECAST))) await writeWeather(database, rows);
  await writeZones(database, city.zones);
  const perZone = Math.ceil((to - from) / HOUR);
  let hours = 0;
  for (const zone of city.zones.keys()) {
    for (const rows of batches(city.trips(zone, from, to))) {
      if (signal?.aborted) throw new KedgeError('shutting-down', 'broken off; the same call goes on from here.');
      await writeTrips(database, rows);
      hours += rows.length;
      const reached = Math.round((rows.at(-1)!.utc + HOUR - from) / HOUR);
      onProgress?.(zone * perZone + reached, zones * perZone);
    }
  }
  return { zones, hours };
}

/** One batch is in memory at a time. */
function* batches<T>(rows: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
