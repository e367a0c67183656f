import type { WeatherRow } from '../store.ts';
import type { Chance } from './chance.ts';

/** The weather of an hour: seasons, warm afternoons, spells of some days, showers. It is known but for an hour now and then. */
export function weatherAt(utc: number, hourOfDay: number, chance: Chance): WeatherRow | undefined {
  const hours = utc / 3600;
  const index = Math.floor(hours);
  if (chance.at(30, index) < 0.001) return undefined;
  const year = (2 * Math.PI * hours) / 8766;
  // The coldest of the year is in the middle of January, of the day at 4, the warmest at 16.
  const seasonal = 10 - 9.5 * Math.cos(year - 0.25);
  const daily = (2.5 - 1.5 * Math.cos(year)) * Math.sin((2 * Math.PI * (hourOfDay - 10)) / 24);
  const temperature = seasonal + daily + 3.5 * chance.wander(hours, 80, 31) + chance.wander(hours, 9, 32);
  const wet = chance.wander(hours, 30, 33) + 0.6 * chance.wander(hours, 5, 34) - 1.1;
  const precipitation = wet > 0 ? 2.2 * wet * wet + 0.1 : 0;
  const wind = Math.max(0.2, 3.6 + 1.6 * chance.wander(hours, 40, 35) + 0.6 * chance.wander(hours, 6, 36));
  return { utc, temperature: tenth(temperature), precipitation: tenth(precipitation), wind: tenth(wind) };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
