import { describe, expect, it } from 'vitest';
import { hourText } from '../../../../trainer/history/city-clock.ts';
import type { TripsRow } from '../store.ts';
import { Chance } from './chance.ts';
import { SyntheticCity } from './city.ts';
import { holidaysOf } from './holidays.ts';

const HOUR = 3600;
const at = (text: string): number => Date.parse(`${text}Z`) / 1000;
const city = (change: object = {}) => new SyntheticCity({ seed: 1, zones: 8, timeZone: 'Europe/Berlin', ...change });
const YEAR = [at('2025-11-01T00:00'), at('2026-11-01T00:00')] as const;

const mean = (rows: readonly TripsRow[], where: (row: TripsRow) => boolean = () => true): number => {
  const chosen = rows.filter(where);
  return chosen.reduce((sum, { trips }) => sum + trips, 0) / chosen.length;
};

describe('a city that is made up', () => {
  it('comes out the same, and in parts as at once', () => {
    const whole = [...city().trips(1, ...YEAR)];
    expect([...city().trips(1, ...YEAR)]).toEqual(whole);
    const start = at('2026-03-01T00:00');
    expect([...city().trips(1, start, YEAR[1])]).toEqual(whole.filter(({ utc }) => utc >= start));
    expect([...city().weather(start, start + 99 * HOUR)]).toEqual(
      [...city().weather(YEAR[0], start + 99 * HOUR)].filter(({ utc }) => utc >= start),
    );
  });

  it('keeps a zone as it is when there are more of them', () => {
    const short = [at('2026-06-01T00:00'), at('2026-06-08T00:00')] as const;
    expect([...city({ zones: 200 }).trips(3, ...short)]).toEqual([...city().trips(3, ...short)]);
    expect(new Set(city({ zones: 200 }).zones).size).toBe(200);
  });

  it('is another with another seed', () =>
    expect([...city({ seed: 2 }).trips(1, ...YEAR)].slice(0, 99)).not.toEqual(
      [...city().trips(1, ...YEAR)].slice(0, 99),
    ));

  it('has zones of different character, days of work and free days, seasons and rain', () => {
    const rows = city().zones.map((_, zone) => [...city().trips(zone, ...YEAR)]);
    const [, centre, , harbour, , , , west] = rows as [TripsRow[], ...TripsRow[][]];
    // By the clocks of winter, which is near enough here.
    const hour = ({ utc }: TripsRow): number => new Date((utc + HOUR) * 1000).getUTCHours();
    const weekday = ({ utc }: TripsRow): number => new Date((utc + HOUR) * 1000).getUTCDay();
    const month = ({ utc }: TripsRow): number => new Date(utc * 1000).getUTCMonth();
    const sunday = (row: TripsRow): boolean => weekday(row) === 0;
    expect(mean(west!, (row) => !sunday(row))).toBeGreaterThan(3 * mean(west!, sunday));
    expect(mean(harbour!, sunday)).toBeGreaterThan(1.3 * mean(harbour!, (row) => !sunday(row)));
    expect(mean(centre!, (row) => hour(row) === 21)).toBeGreaterThan(5 * mean(centre!, (row) => hour(row) === 5));
    expect(mean(harbour!, (row) => month(row) === 6)).toBeGreaterThan(1.5 * mean(harbour!, (row) => month(row) === 0));
    const rain = new Set([...city().weather(...YEAR)].filter((w) => w.precipitation! > 1).map(({ utc }) => utc));
    expect(mean(harbour!, ({ utc }) => !rain.has(utc))).toBeGreaterThan(
      1.5 * mean(harbour!, ({ utc }) => rain.has(utc)),
    );
    const holiday = west!.filter(({ utc }) => hourText(utc).startsWith('2026-05-25'));
    expect(mean(holiday)).toBeLessThan(0.5 * mean(west!, (row) => weekday(row) === 1));
  });

  it('misses an hour now and then, in every zone and in some of them alone', () => {
    const hours = (YEAR[1] - YEAR[0]) / HOUR;
    const missed = [0, 1].map((zone) => {
      const there = new Set([...city().trips(zone, ...YEAR)].map(({ utc }) => utc));
      return new Set(Array.from({ length: hours }, (_, i) => YEAR[0] + i * HOUR).filter((utc) => !there.has(utc)));
    }) as [Set<number>, Set<number>];
    for (const one of missed) {
      expect(one.size / hours).toBeGreaterThan(0.002);
      expect(one.size / hours).toBeLessThan(0.03);
    }
    const both = missed[0].intersection(missed[1]).size;
    expect(both).toBeGreaterThan(0);
    expect(both).toBeLessThan(missed[0].size);
  });

  it('has weather that can be', () => {
    for (const { temperature, precipitation, wind } of city().weather(...YEAR)) {
      expect(temperature).toBeGreaterThan(-25);
      expect(temperature).toBeLessThan(42);
      expect(precipitation).toBeGreaterThanOrEqual(0);
      expect(precipitation).toBeLessThan(60);
      expect(wind).toBeGreaterThan(0);
    }
  });
});

describe('holidays', () => {
  // Easter Sunday was on the 4th of April 2021, 9 April 2023, 31 March 2024, 20 April 2025 and is on the 5th of April 2026.
  it.each([
    [2021, '2021-04-05'],
    [2023, '2023-04-10'],
    [2024, '2024-04-01'],
    [2025, '2025-04-21'],
    [2026, '2026-04-06'],
  ])('of %i have Easter Monday on %s', (year, day) =>
    expect(holidaysOf(year)).toContainEqual({ day, name: 'Easter Monday' }),
  );
});

describe('chance', () => {
  const chance = new Chance(3);
  const draws = (draw: (index: number) => number): { mean: number; variance: number } => {
    const values = Array.from({ length: 20_000 }, (_, index) => draw(index));
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean: average, variance: values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length };
  };

  it('is uniform', () => {
    const { mean: average, variance } = draws((index) => chance.at(index));
    expect(average).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it('is normal with mean 0 and deviation 1', () => {
    const { mean: average, variance } = draws((index) => chance.normal(index));
    expect(Math.abs(average)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it.each([0.2, 3, 40, 90])('is Poisson with mean and variance %d', (rate) => {
    const { mean: average, variance } = draws((index) => chance.poisson(rate, index));
    expect(Math.abs(average / rate - 1)).toBeLessThan(0.04);
    expect(Math.abs(variance / rate - 1)).toBeLessThan(0.08);
  });

  it('is none of nothing', () => expect(chance.poisson(0, 1)).toBe(0));
});
