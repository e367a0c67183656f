import { KedgeError } from '../../contract/errors.ts';
import { hourText } from './city-clock.ts';

const HOUR = 3600;

export interface Gap {
  /** The first hour that is missing, and the first that is there again; seconds since the epoch. */
  from: number;
  to: number;
}

export interface CoverageOptions {
  /** For sentences: `zone 'west'`. */
  what: string;
  /** Fewer hours than this are too short a history. */
  least: number;
}

/** Watches a series of hours go by in order of time, and says whether something can be learned from it. */
export class Coverage {
  readonly #options: CoverageOptions;
  #rows = 0;
  #missing = 0;
  #gaps = 0;
  #longest: Gap = { from: 0, to: 0 };
  #first = Number.NaN;
  #last = Number.NaN;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  constructor(options: CoverageOptions) {
    this.#options = options;
  }

  /** @throws KedgeError `data-invalid` for an hour that came before */
  add(utc: number, value: number): void {
    if (utc === this.#last) throw this.#wrong(`has the hour ${hourText(utc)}Z twice: remove one of them`);
    if (this.#rows === 0) this.#first = utc;
    else this.#step({ from: this.#last + HOUR, to: utc });
    this.#last = utc;
    this.#rows += 1;
    this.#least = Math.min(this.#least, value);
    this.#most = Math.max(this.#most, value);
  }

  #step(gap: Gap): void {
    const hours = Math.round((gap.to - gap.from) / HOUR);
    if (hours < 1) return;
    this.#missing += hours;
    this.#gaps += 1;
    if (gap.to - gap.from > this.#longest.to - this.#longest.from) this.#longest = gap;
  }

  /**
   * At the end of the series.
   * @returns sentences about what is missing, if it is little enough
   * @throws KedgeError `data-invalid` for a history that nothing can be learned from
   */
  judge(): string[] {
    const { least } = this.#options;
    if (this.#rows === 0) throw this.#wrong('has no hours in the window');
    const span = `from ${hourText(this.#first)}Z to ${hourText(this.#last)}Z`;
    if (this.#rows < least) {
      throw this.#wrong(`has ${this.#rows} hours ${span}, too few to learn from: at least ${least} are needed`);
    }
    if (this.#missing > this.#rows) {
      throw this.#wrong(
        `lacks ${this.#missing} of ${this.#rows + this.#missing} hours ${span}, more than half: fill the gaps or take a window without them`,
      );
    }
    if (this.#least === this.#most) {
      throw this.#wrong(
        `has the same number, ${this.#least}, in all ${this.#rows} hours ${span}: nothing can be learned`,
      );
    }
    if (this.#missing === 0) return [];
    const { from, to } = this.#longest;
    const all = `${this.#missing} of ${this.#rows + this.#missing} hours are missing`;
    const gaps = this.#gaps === 1 ? 'in one gap' : `in ${this.#gaps} gaps, the longest`;
    return [`${all} ${gaps} from ${hourText(from)}Z to ${hourText(to)}Z.`];
  }

  #wrong(problem: string): KedgeError {
    return new KedgeError('data-invalid', `The history of ${this.#options.what} ${problem}.`);
  }
}
