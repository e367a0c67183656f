/** What a column of a CSV holds, as its cells are read one after another. */

const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '-']);
const BOOLEANS: Readonly<Record<string, number>> = { true: 1, false: 0, yes: 1, no: 0 };

export function isMissing(cell: string): boolean {
  return MISSING.has(cell.trim().toLowerCase());
}

/** A number, or one of true, false, yes and no; NaN for what is missing; undefined for text. */
export function numberOf(cell: string): number | undefined {
  const text = cell.trim();
  if (isMissing(text)) return Number.NaN;
  const word = BOOLEANS[text.toLowerCase()];
  if (word !== undefined) return word;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  // Number() would take 0x10, 1e and blanks inside for what they are not in a table.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/**
 * Seconds since the epoch: of a date or time of ISO 8601, without an offset by UTC; a plain number is taken as it is, for tables that count hours or
 * seconds of their own. Undefined for anything else.
 */
export function timeOf(cell: string): number | undefined {
  const text = cell.trim();
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  if (parts) {
    const [, date, time = '00:00', offset = 'Z'] = parts;
    const milliseconds = Date.parse(`${date}T${time}${offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
    return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
  }
  const number = numberOf(text);
  return number === undefined || !Number.isFinite(number) ? undefined : number;
}

/** A growing list of numbers, eight bytes each. */
export class Numbers {
  #values = new Float64Array(1024);
  #count = 0;

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = value;
  }

  done(): Float64Array {
    return this.#values.slice(0, this.#count);
  }
}
