import { Readable } from 'node:stream';
import { it } from 'vitest';
import { hourText } from '../../../../trainer/history/city-clock.ts';
import type { Database } from '../../../../trainer/history/database.ts';
import { fillHistory } from '../fill.ts';
import { type Imported, type ImportOptions, importHourly } from '../import-csv.ts';

export const HOUR = 3600;
export const HEAD = 'zone,time,trips\n';
export const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

/** Ten weeks with the end of summer time among them. */
export const [FROM, TO] = [at('2026-08-31T22:00'), at('2026-11-10T23:00')];

/** What the suites on a history share: each runs over both databases, and one PGlite must do for all. */
export interface Harness {
  database(): Database;
  test: typeof it;
  fill(change?: object): ReturnType<typeof fillHistory>;
  trips(text: string, options?: Partial<ImportOptions>): Promise<Imported>;
  /** All trips, in order. */
  stored(): Promise<object[]>;
}

export function harness(database: () => Database, leftOut: boolean): Harness {
  return {
    database,
    test: it.skipIf(leftOut) as typeof it,
    fill: (change = {}) =>
      fillHistory(database(), { seed: 7, zones: 2, timeZone: 'Europe/Berlin', from: FROM, to: TO, ...change }),
    trips: (text, options = {}) =>
      importHourly(database(), 'trips', Readable.from([Buffer.from(text)]), {
        file: 'trips.csv',
        timeZone: 'Europe/Berlin',
        ...options,
      }),
    stored: () =>
      database().query(
        `select zone, to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as utc, trips
          from scooter_demand.trips order by zone, hour`,
      ),
  };
}

/** Lines of a file: `hours` hours from `start`, by what `value` says of each; none where it says nothing. */
export function hourly(
  start: string,
  hours: number,
  value: (hour: number) => number | undefined,
  zone = 'west',
): string {
  return Array.from({ length: hours }, (_, hour) => {
    const number = value(hour);
    return number === undefined ? '' : `${zone},${hourText(at(start) + hour * HOUR)}Z,${number}\n`;
  }).join('');
}
