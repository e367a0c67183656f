import { CityClock, dayText } from '../../../../trainer/history/city-clock.ts';
import type { Holiday, TripsRow, WeatherRow } from '../store.ts';
import { Chance } from './chance.ts';
import { type Character, characterOf, rhythm, zoneName } from './character.ts';
import { holidaysOf } from './holidays.ts';
import { weatherAt } from './weather.ts';

const HOUR = 3600;
const DAY = 24;
const WEEK = 168;

/** 2026-01-01T00:00Z in hours: where the trend is 1. */
const TREND_ORIGIN = 490_896;

export interface CitySettings {
  /** Another seed is another city. */
  seed: number;
  zones: number;
  timeZone: string;
}

/** The place and hour for which the expected trips are asked. */
interface Moment {
  zone: number;
  /** Hours since the epoch: UTC, and by the clocks. */
  utcHour: number;
  wallHour: number;
  weather: WeatherRow | undefined;
}

/**
 * A city that is made up: nothing here was measured. Zones differ in when and how much they move; days of work, free days and
 * holidays differ; weather keeps people in; demand grows; some zones change for good at some day (a bridge opens, a depot moves);
 * events fill an evening; sensors fail for an hour or a day. Everything is a function of the settings and the hour asked for:
 * however it is cut into windows, the same hour is the same.
 */
export class SyntheticCity {
  readonly zones: readonly string[];
  readonly #clock: CityClock;
  readonly #chance: Chance;
  readonly #characters: readonly Character[];
  readonly #holidays = new Map<number, Set<string>>();

  constructor({ seed, zones, timeZone }: CitySettings) {
    this.#clock = new CityClock(timeZone);
    this.#chance = new Chance(seed);
    const indices = Array.from({ length: zones }, (_, index) => index);
    this.zones = indices.map(zoneName);
    this.#characters = indices.map((index) => characterOf(index, this.#chance));
  }

  holidays(firstYear: number, lastYear: number): Holiday[] {
    const years = Array.from({ length: lastYear - firstYear + 1 }, (_, index) => firstYear + index);
    return years.flatMap(holidaysOf);
  }

  /** Hour by hour from `from` to before `to` (seconds since the epoch, on the hour). */
  *weather(from: number, to: number): Generator<WeatherRow> {
    for (let utc = from; utc < to; utc += HOUR) {
      const weather = this.#weatherAt(utc);
      if (weather) yield weather;
    }
  }

  /** The trips of one zone, by its index, hour by hour; the hours that sensors missed are left out. */
  *trips(zone: number, from: number, to: number): Generator<TripsRow> {
    const name = this.zones[zone]!;
    for (let utc = from; utc < to; utc += HOUR) {
      const utcHour = Math.floor(utc / HOUR);
      if (this.#isMissing(zone, utcHour)) continue;
      const wallHour = Math.floor(this.#clock.wallOf(utc) / HOUR);
      const mean = this.#expected({ zone, utcHour, wallHour, weather: this.#weatherAt(utc) });
      yield { zone: name, utc, trips: this.#chance.poisson(mean, 40, zone, utcHour) };
    }
  }

  #weatherAt(utc: number): WeatherRow | undefined {
    const wallHour = Math.floor(this.#clock.wallOf(utc) / HOUR);
    return weatherAt(utc, modulo(wallHour, DAY), this.#chance);
  }

  #expected({ zone, utcHour, wallHour, weather }: Moment): number {
    const character = this.#characters[zone]!;
    const [hour, day] = [modulo(wallHour, DAY), Math.floor(wallHour / DAY)];
    const chance = this.#chance;
    const busy = rhythm(character, hour, this.#isFree(day));
    const warm = ((weather?.temperature ?? 10) - 10) / 20;
    const rain = 1 / (1 + character.rain * 0.9 * (weather?.precipitation ?? 0));
    const calm = 1 - 0.025 * (weather?.wind ?? 3);
    // A good or bad day of the whole city, one of the zone, and what changes within hours.
    const mood =
      0.08 * chance.normal(41, day) + 0.1 * chance.normal(42, zone, day) + 0.12 * chance.wander(utcHour, 4, 43, zone);
    return (
      character.size *
      busy *
      Math.exp(character.season * warm + mood) *
      rain *
      calm *
      this.#trend(zone, wallHour) *
      this.#event(zone, day, hour)
    );
  }

  /** Some per cent a year, other for each zone, and for one in four a step at some day of 2025 or 2026. */
  #trend(zone: number, wallHour: number): number {
    const years = (wallHour - TREND_ORIGIN) / 8766;
    const growth = Math.exp((0.12 + 0.1 * (this.#chance.at(44, zone) - 0.5)) * years);
    const step = this.#chance.at(45, zone);
    return step < 0.25 && years > 8 * step - 1 ? growth * (this.#chance.at(46, zone) < 0.5 ? 0.7 : 1.4) : growth;
  }

  /** Before and after an event, which is in an evening, there are more. */
  #event(zone: number, day: number, hour: number): number {
    const { events } = this.#characters[zone]!;
    if (this.#chance.at(47, zone, day) * 100 >= events) return 1;
    const start = 16 + Math.floor(this.#chance.at(48, zone, day) * 4);
    return hour >= start && hour < start + 4 ? 1.6 + 1.4 * this.#chance.at(49, zone, day) : 1;
  }

  #isFree(day: number): boolean {
    const date = new Date(day * DAY * HOUR * 1000);
    if (date.getUTCDay() % 6 === 0) return true;
    const year = date.getUTCFullYear();
    if (!this.#holidays.has(year)) this.#holidays.set(year, new Set(holidaysOf(year).map((holiday) => holiday.day)));
    return this.#holidays.get(year)!.has(dayText(day * DAY * HOUR));
  }

  /** One hour in five hundred of a zone; and for the whole city, in one week of eight, an outage of up to a day. */
  #isMissing(zone: number, utcHour: number): boolean {
    if (this.#chance.at(50, zone, utcHour) < 0.002) return true;
    const week = Math.floor(utcHour / WEEK);
    if (this.#chance.at(51, week) >= 0.125) return false;
    const length = 1 + Math.floor(this.#chance.at(52, week) ** 2 * 23);
    const start = Math.floor(this.#chance.at(53, week) * (WEEK - length));
    const hour = utcHour - week * WEEK;
    return hour >= start && hour < start + length;
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
