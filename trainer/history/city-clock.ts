import { KedgeError } from '../../contract/errors.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/**
 * The clocks of a time zone. Times are seconds: since 1970-01-01T00:00Z (`utc`), or as the clocks show them, counted as if they
 * were UTC (`wall`). Where clocks go forward a wall time does not exist, and where they go back one comes twice.
 */
export class CityClock {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  /** By day since 1970: the offset of all of it, or undefined for a day on which it changes. */
  readonly #days = new Map<number, number | undefined>();

  /** @throws KedgeError `config-invalid` for a name that is not in the IANA database */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    try {
      this.#format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    } catch (error) {
      throw new KedgeError(
        'config-invalid',
        `'${timeZone}' is no time zone; they have names such as Europe/Berlin or UTC.`,
        { cause: error },
      );
    }
  }

  /** Seconds that the clocks are ahead of UTC. */
  offsetAt(utc: number): number {
    const day = Math.floor(utc / DAY);
    if (!this.#days.has(day)) {
      const [start, end] = [this.#ask(day * DAY), this.#ask((day + 1) * DAY)];
      this.#days.set(day, start === end ? start : undefined);
    }
    return this.#days.get(day) ?? this.#ask(utc);
  }

  wallOf(utc: number): number {
    return utc + this.offsetAt(utc);
  }

  /** The moments at which the clocks show a wall time, in order: one, none or two. */
  utcOf(wall: number): number[] {
    const offsets = new Set([this.offsetAt(wall - DAY), this.offsetAt(wall + DAY)]);
    return [...offsets]
      .map((offset) => wall - offset)
      .filter((utc) => this.offsetAt(utc) === wall - utc)
      .sort((a, b) => a - b);
  }

  /** The first moment of a day that is written as 2026-11-24. @throws KedgeError `config-invalid` for anything else */
  startOf(day: string): number {
    const wall = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) / 1000 : Number.NaN;
    if (Number.isNaN(wall) || dayText(wall) !== day) {
      throw new KedgeError('config-invalid', `'${day}' is no day; write it as 2026-11-24.`);
    }
    // Where clocks go forward at midnight, the day begins at what they show then.
    return this.utcOf(wall)[0] ?? this.utcOf(wall + HOUR)[0]!;
  }

  #ask(utc: number): number {
    const part = this.#format.formatToParts(utc * 1000).find(({ type }) => type === 'timeZoneName')!.value;
    const [, sign, hours, minutes, seconds = '0'] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/.exec(part)!;
    if (sign === undefined) return 0;
    const size = Number(hours) * HOUR + Number(minutes) * 60 + Number(seconds);
    return sign === '-' ? -size : size;
  }
}

/** 2026-11-24, of a wall time or of UTC. */
export function dayText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** 2026-11-24T17:00, of a wall time or of UTC. */
export function hourText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16);
}
