import { type CityClock, hourText } from '../../../trainer/history/city-clock.ts';

const HOUR = 3600;

/** The hour of a line of a file. */
export interface HourRead {
  /** Seconds since the epoch. */
  utc: number;
  /** Set where the clocks show this hour twice and nothing says which one is meant: the later of both. */
  later?: number;
}

const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2})(?::?(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * Reads the hour that a line is about: with an offset (or Z), or by the clocks of the city.
 * @throws Error whose message goes on after "line 3: "
 */
export function readTime(text: string, clock: CityClock): HourRead {
  const parts = TIME.exec(text);
  if (!parts) throw new Error(`time is '${text}', which is no time such as 2026-11-23T17:00 or 2026-11-23T16:00Z`);
  const [, day, hour, minutes = '00', seconds = '00', offset] = parts as unknown as string[];
  const written = Date.parse(`${day}T${hour}:${minutes}:${seconds}Z`) / 1000;
  if (Number.isNaN(written) || hourText(written) !== `${day}T${hour}:${minutes}`) {
    throw new Error(`time is '${text}', a day or hour that the calendar does not have`);
  }
  if (offset !== undefined) {
    const utc = written - offsetOf(offset);
    checkFull(clock.wallOf(utc), text, clock);
    return { utc };
  }
  checkFull(written, text, clock);
  const [utc, later] = clock.utcOf(written);
  if (utc === undefined) {
    throw new Error(
      `time is '${text}', an hour that ${clock.timeZone} does not have, as the clocks went forward then: write it with its offset (2026-11-23T16:00Z)`,
    );
  }
  return later === undefined ? { utc } : { utc, later };
}

function checkFull(wall: number, text: string, { timeZone }: CityClock): void {
  if (wall % HOUR === 0) return;
  throw new Error(`time is '${text}', which is not on the full hour by the clocks of ${timeZone}`);
}

function offsetOf(offset: string): number {
  if (/^z$/i.test(offset)) return 0;
  const [, sign, hours, minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) as unknown as string[];
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * 60);
}

/**
 * Tells the two hours apart that the clocks show alike when they go back, where a file has both: the first is the earlier, unless
 * the file runs backwards in time. Where it has one, that is taken for the earlier. One for each file.
 */
export class DoubledHours {
  readonly #last = new Map<string, number>();
  readonly #seen = new Map<string, { backwards: boolean; count: number }>();

  /** @throws Error for the third of two */
  choose(zone: string, { utc, later }: HourRead): number {
    const last = this.#last.get(zone);
    this.#last.set(zone, utc);
    if (later === undefined) return utc;
    const key = `${zone} ${utc}`;
    const seen = this.#seen.get(key) ?? { backwards: last !== undefined && last > utc, count: 0 };
    seen.count += 1;
    this.#seen.set(key, seen);
    if (seen.count > 2) throw new Error('is the third of an hour that the clocks showed twice');
    return (seen.count === 1) === seen.backwards ? later : utc;
  }

  /** How many hours that came twice the file has once. */
  get single(): number {
    return [...this.#seen.values()].filter(({ count }) => count === 1).length;
  }
}
