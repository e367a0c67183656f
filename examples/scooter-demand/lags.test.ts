import { describe, expect, it } from 'vitest';
import { type Lags, REACH, RecentTrips } from './lags.ts';

/** Trips are the number of their hour, so that a lag says where it comes from. */
function tripsUntil(hours: number, leaveOut: (hour: number) => boolean = () => false): RecentTrips {
  const recent = new RecentTrips();
  for (let hour = 0; hour < hours; hour += 1) if (!leaveOut(hour)) recent.add(hour, hour);
  return recent;
}

const NONE: Lags = {
  tripsDayAgo: Number.NaN,
  trips2DaysAgo: Number.NaN,
  tripsWeekAgo: Number.NaN,
  trips2WeeksAgo: Number.NaN,
  tripsMeanWeek: Number.NaN,
  tripsMean4Weeks: Number.NaN,
};

describe('lags', () => {
  it('of an hour are the same hour before, and means over what is known a day ahead', () =>
    expect(tripsUntil(1000).lagsOf(1000)).toEqual({
      tripsDayAgo: 976,
      trips2DaysAgo: 952,
      tripsWeekAgo: 832,
      trips2WeeksAgo: 664,
      tripsMeanWeek: 976 - 167 / 2,
      tripsMean4Weeks: 1000 - 168 * 2.5,
    }));

  it('are the same whether or not the last day is known', () => {
    const dayAhead = tripsUntil(977);
    expect(dayAhead.lagsOf(1000)).toEqual(tripsUntil(1000).lagsOf(1000));
  });

  it('need no more than their reach', () =>
    expect(tripsUntil(1000, (hour) => hour < 1000 - REACH).lagsOf(1000)).toEqual(tripsUntil(1000).lagsOf(1000)));

  it('of the first hour are not known', () => expect(new RecentTrips().lagsOf(0)).toEqual(NONE));

  it('of a gap are not known, and means are of the rest', () => {
    const lags = tripsUntil(1000, (hour) => hour === 976 || hour === 832).lagsOf(1000);
    expect(lags.tripsDayAgo).toBeNaN();
    expect(lags.tripsWeekAgo).toBeNaN();
    expect(lags.tripsMean4Weeks).toBe((664 + 496 + 328) / 3);
    const all = (976 - 167 / 2) * 168;
    expect(lags.tripsMeanWeek).toBeCloseTo((all - 976 - 832) / 166, 10);
  });

  it('have no mean of a week of which less than half is known', () => {
    expect(tripsUntil(977, (hour) => hour < 977 - 84).lagsOf(1000).tripsMeanWeek).toBe(976 - 83 / 2);
    expect(tripsUntil(977, (hour) => hour < 977 - 83).lagsOf(1000).tripsMeanWeek).toBeNaN();
  });

  it('never take an hour of long ago for one of now', () => {
    const recent = tripsUntil(800);
    // The same slots of the ring, half a year on.
    expect(recent.lagsOf(800 + 6 * (REACH + 24))).toEqual(NONE);
  });

  it('count an hour that the clocks show twice once, by the mean', () => {
    const recent = new RecentTrips();
    recent.add(2, 10);
    recent.add(2, 5);
    expect(recent.lagsOf(26).tripsDayAgo).toBe(7.5);
    recent.add(2 + REACH + 24, 4);
    expect(recent.lagsOf(2 + REACH + 48).tripsDayAgo).toBe(4);
  });

  it('of hours before 1970 are found, too', () => {
    const recent = new RecentTrips();
    recent.add(-30, 3);
    expect(recent.lagsOf(-6).tripsDayAgo).toBe(3);
  });
});
