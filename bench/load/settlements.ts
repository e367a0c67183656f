/** What became of a request. */
const OUTCOMES = ['ok', 'wrong', 'failed', 'dropped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One request that is over. */
export interface Settlement {
  /** Number of the interval that it was scheduled in. */
  interval: number;
  outcome: Outcome;
  /** 0 where there was none. */
  status: number;
  /** Number of the version that answered, as its thread counts them; -1 if none is named. */
  version: number;
  /** Microseconds from when it was scheduled until it was over. */
  latency: number;
  /** Microseconds from when it was scheduled until it was sent, or dropped. */
  behind: number;
}

const WIDTH = 6;
const FIRST_ROOM = 1_024;

/** Settlements on their way from one thread to another: numbers in a row, as objects would cost more than what they tell. */
export class Settlements {
  #words = new Uint32Array(FIRST_ROOM * WIDTH);
  #length = 0;

  add({ interval, outcome, status, version, latency, behind }: Settlement): void {
    if (this.#length === this.#words.length) {
      const wider = new Uint32Array(this.#words.length * 2);
      wider.set(this.#words);
      this.#words = wider;
    }
    const words = this.#words;
    const at = this.#length;
    words[at] = interval;
    words[at + 1] = OUTCOMES.indexOf(outcome);
    words[at + 2] = status;
    words[at + 3] = version + 1;
    words[at + 4] = Math.max(0, Math.round(latency));
    words[at + 5] = Math.max(0, Math.round(behind));
    this.#length += WIDTH;
  }

  /** All so far; begins anew. */
  take(): Uint32Array<ArrayBuffer> {
    const taken = this.#words.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

export function* readSettlements(words: Uint32Array): Generator<Settlement, undefined> {
  for (let at = 0; at < words.length; at += WIDTH) {
    yield {
      interval: words[at]!,
      outcome: OUTCOMES[words[at + 1]!]!,
      status: words[at + 2]!,
      version: words[at + 3]! - 1,
      latency: words[at + 4]!,
      behind: words[at + 5]!,
    };
  }
}
