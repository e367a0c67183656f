import { dayText } from '../../../../trainer/history/city-clock.ts';
import type { Holiday } from '../store.ts';

const DAY = 86_400;

const FIXED: readonly (readonly [month: number, day: number, name: string])[] = [
  [1, 1, 'New Year'],
  [5, 1, 'Labour Day'],
  [10, 3, 'Day of Unity'],
  [12, 25, 'Christmas Day'],
  [12, 26, 'Second day of Christmas'],
];

/** Days after Easter Sunday. */
const MOVABLE: readonly (readonly [days: number, name: string])[] = [
  [-2, 'Good Friday'],
  [1, 'Easter Monday'],
  [39, 'Ascension'],
  [50, 'Whit Monday'],
];

/** Public holidays of a year, such as a German city has. */
export function holidaysOf(year: number): Holiday[] {
  const easter = easterSunday(year);
  return [
    ...FIXED.map(([month, day, name]) => ({ day: dayText(Date.UTC(year, month - 1, day) / 1000), name })),
    ...MOVABLE.map(([days, name]) => ({ day: dayText(easter + days * DAY), name })),
  ].sort((a, b) => a.day.localeCompare(b.day));
}

/** Seconds since the epoch. The Gregorian rule of Meeus, Jones and Butcher (J. Meeus, Astronomical Algorithms, chapter 8). */
function easterSunday(year: number): number {
  const a = year % 19;
  const [b, c] = [Math.floor(year / 100), year % 100];
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 19 * l) / 433);
  const month = Math.floor((h + l - 7 * m + 90) / 25);
  const day = (h + l - 7 * m + 33 * month + 19) % 32;
  return Date.UTC(year, month - 1, day) / 1000;
}
