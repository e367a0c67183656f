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
