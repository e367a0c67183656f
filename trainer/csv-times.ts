import { KedgeError } from '../contract/errors.ts';
import { numberOf } from './csv-columns.ts';

/** Times from here on are taken for seconds since the epoch (1973), smaller ones for a count of the table's own. */
export const EPOCH_TIMES = 1e8;

/** Numbers since the epoch from `from` on, to below a thousand times that, are of this unit: seconds of that size are past the year 5138, and these from 1973 on. */
const UNITS = [
  { from: 1e11, seconds: (time: number) => time / 1e3 },
  { from: 1e14, seconds: (time: number) => time / 1e6 },
  // To microseconds, which is more than a 64-bit float holds of nanoseconds since 1970.
  { from: 1e17, seconds: (time: number) => Math.round(time / 1e3) / 1e6 },
];

/** Seconds since the epoch: of a date or time of ISO 8601, without an offset by UTC. Undefined for anything else. */
export function dateOf(cell: string): number | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
    cell.trim(),
  );
  if (!parts) return undefined;
  const [, date, time = '00:00', offset = 'Z'] = parts;
  const milliseconds = Date.parse(`${date}T${time}${offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** The times of a column, as its cells are read: all of them dates, or all of them numbers. */
export class TimeCells {
  readonly #name: string;
  #kind: 'dates' | 'numbers' | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** @returns seconds, or the number; undefined for what is no time. @throws KedgeError `data-invalid` for a column of both */
  read(cell: string, line: number): number | undefined {
    const date = dateOf(cell);
    const time = date ?? numberOf(cell);
    if (time === undefined || !Number.isFinite(time)) return undefined;
    const kind = date === undefined ? 'numbers' : 'dates';
    this.#kind ??= kind;
    if (kind === this.#kind) return time;
    throw invalid(
      `The time '${this.#name}' has ${this.#kind} up to line ${line}, where it is ${JSON.stringify(cell)}: write it in one way`,
    );
  }

  /**
   * All times of the column in seconds, where they are times since 1970 in milli-, micro- or nanoseconds, as the size of all of them tells; as they are where they are seconds, dates, or a
   * count of the table's own.
   * @throws KedgeError `data-invalid` for times since 1970 that are not of one unit
   */
  secondsOf(times: Float64Array): Float64Array {
    if (this.#kind !== 'numbers') return times;
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const time of times) {
      least = Math.min(least, time);
      most = Math.max(most, time);
    }
    if (most < UNITS[0]!.from || least < EPOCH_TIMES) return times;
    const unit = UNITS.find(({ from }) => least >= from && most < from * 1000);
    if (unit) return times.map(unit.seconds);
    throw invalid(
      `The time '${this.#name}' goes from ${least} to ${most}: that is no one unit of time since 1970. Give seconds, or times such as 2026-11-23T17:00`,
    );
  }
}

function invalid(sentence: string): KedgeError {
  return new KedgeError('data-invalid', `${sentence}.`);
}
