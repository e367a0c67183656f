import { fillHistory } from '../../examples/scooter-demand/history/fill.ts';
import { source } from '../../examples/scooter-demand/history/source.ts';
import type { Clock } from '../../platform/clock.ts';
import { CityClock, dayText } from '../../trainer/history/city-clock.ts';
import type { Database } from '../../trainer/history/database.ts';
import { openPglite } from '../../trainer/history/pglite.ts';
import type { HistoryRow } from '../../trainer/history/source.ts';
import { modelNames } from '../../trainer/run/zones.ts';

const DAY = 86_400;
const CITY = { seed: 1, zones: 3, timeZone: 'Europe/Berlin' };
/** Fourteen months of hours, so that each season was there once. */
const LEARNED_DAYS = 420;

/** Seconds since the epoch. The history ends where the day begins that is forecast, and which then comes. */
export interface Days {
  first: number;
  forecast: number;
  /** The day after: nobody knows yet what comes. */
  coming: number;
  end: number;
}

/** The last whole day by the clocks of the city is the one that is forecast. Pure. */
export function daysAt(now: number): Days {
  const clock = new CityClock(CITY.timeZone);
  const coming = clock.startOf(dayText(clock.wallOf(now / 1000)));
  const start = (days: number): number => clock.startOf(dayText(clock.wallOf(coming) + days * DAY));
  return { first: start(-1 - LEARNED_DAYS), forecast: start(-1), coming, end: start(1) };
}

export function dayName(utc: number): string {
  return dayText(new CityClock(CITY.timeZone).wallOf(utc));
}

/** A model's name, and what is asked of it. */
export type Questions = ReadonlyMap<string, HistoryRow[]>;

/** The made-up city of a walk, in a folder. Each call opens it anew, as one process at a time can have it. */
export class QuickstartCity {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Goes on with the history, from `from` to before `to`. @returns how many hours were written */
  async fill(
    { from, to }: { from: number; to: number },
    { signal, onProgress }: { signal: AbortSignal; onProgress?: (done: number, total: number) => void },
  ): Promise<number> {
    const filled = await this.#open((database) =>
      fillHistory(database, { ...CITY, from, to, signal, ...(onProgress && { onProgress }) }),
    );
    return filled.hours;
  }

  /** The hours of a window as a client would post them, by the model that they are for. */
  questions(from: number, to: number): Promise<Questions> {
    return this.#open(async (database) => {
      const found = new Map<string, HistoryRow[]>();
      for (const [model, zone] of modelNames(source.estimator.name, await source.zones(database))) {
        found.set(model, await source.readRows(database, zone, { from, to }));
      }
      return found;
    });
  }

  async #open<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await openPglite(this.#folder, { clock: this.#clock });
    try {
      await source.prepare(database);
      return await work(database);
    } finally {
      await database.close();
    }
  }
}
