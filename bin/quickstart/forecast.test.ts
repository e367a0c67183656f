import { describe, expect, it } from 'vitest';
import { errorOf, forecastHours } from './forecast.ts';

describe('a day that was forecast', () => {
  const row = (hour: string, fields: object = {}) => ({ time: `2026-11-24T${hour}:00`, ...fields });
  const hours = forecastHours(
    [
      { utc: 0, row: row('00', { trips_week_ago: 4, trips_2_weeks_ago: 9 }), target: 6 },
      { utc: 3600, row: row('01', { trips_2_weeks_ago: 3, trips_mean_week: 9 }), target: 0 },
      { utc: 7200, row: row('02', { trips_mean_week: 2.5 }) },
    ],
    [5, 1, 7],
  );

  it('has what is known of each hour', () =>
    expect(hours).toEqual([
      { hour: 0, forecast: 5, naive: 4, came: 6 },
      { hour: 1, forecast: 1, naive: 3, came: 0 },
      { hour: 2, forecast: 7, naive: 2.5 },
    ]));

  it('is judged by the hours of which it is known what came', () =>
    expect(errorOf(hours)).toEqual({ hours: 2, model: 1, naive: 2.5 }));

  it('cannot be judged where nothing is known', () =>
    expect(() => errorOf(hours.slice(2))).toThrow(expect.objectContaining({ code: 'data-invalid' })));
});
