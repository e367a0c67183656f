/**
 * What is known of the past when an hour is forecast a day ahead: nothing of the 24 hours before it. "Ago" is by the clocks of
 * the city, which is what riders live by. NaN where the history has a gap. All in trips an hour.
 */
export interface Lags {
  /** The same hour 1, 2, 7 and 14 days before. */
  tripsDayAgo: number;
  trips2DaysAgo: number;
  tripsWeekAgo: number;
  trips2WeeksAgo: number;
  /** Mean of the 168 hours of which the last is the same hour a day before; of those that are known, which must be half of them. */
  tripsMeanWeek: number;
  /** Mean of the same hour 7, 14, 21 and 28 days before, of those that are known. */
  tripsMean4Weeks: number;
}

const DAY = 24;
const WEEK = 7 * DAY;

/** How far back the lags of an hour reach, in hours. */
export const REACH = 4 * WEEK;

const SLOTS = REACH + DAY;

/** The trips of the last weeks, by the hour of the city's clocks. Fed in order of time, it gives the lags of what comes. */
export class RecentTrips {
  /** Rings: the slot of an hour is its number modulo their length, and `hours` says which hour it holds. */
  readonly #hours = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #trips = new Float64Array(SLOTS);
  readonly #count = new Uint8Array(SLOTS);

  /** An hour that the clocks show twice counts once, by the mean of both. */
  add(wallHour: number, trips: number): void {
    const slot = slotOf(wallHour);
    const again = this.#hours[slot] === wallHour;
    const count = again ? this.#count[slot]! : 0;
    this.#trips[slot] = ((count > 0 ? this.#trips[slot]! : 0) * count + trips) / (count + 1);
    this.#count[slot] = count + 1;
    this.#hours[slot] = wallHour;
  }

  #at(wallHour: number): number {
    const slot = slotOf(wallHour);
    return this.#hours[slot] === wallHour ? this.#trips[slot]! : Number.NaN;
  }

  lagsOf(wallHour: number): Lags {
    return {
      tripsDayAgo: this.#at(wallHour - DAY),
      trips2DaysAgo: this.#at(wallHour - 2 * DAY),
      tripsWeekAgo: this.#at(wallHour - WEEK),
      trips2WeeksAgo: this.#at(wallHour - 2 * WEEK),
      tripsMeanWeek: this.#mean(wallHour - DAY, 1, WEEK, WEEK / 2),
      tripsMean4Weeks: this.#mean(wallHour - WEEK, WEEK, 4, 1),
    };
  }

  /** Of `count` hours from `last` backwards; NaN if fewer than `least` are known. */
  #mean(last: number, step: number, count: number, least: number): number {
    let sum = 0;
    let known = 0;
    for (let turn = 0; turn < count; turn += 1) {
      const trips = this.#at(last - turn * step);
      if (Number.isNaN(trips)) continue;
      sum += trips;
      known += 1;
    }
    return known >= least ? sum / known : Number.NaN;
  }
}

function slotOf(wallHour: number): number {
  return ((wallHour % SLOTS) + SLOTS) % SLOTS;
}
