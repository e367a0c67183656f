import { KedgeError } from '../../contract/errors.ts';
import type { Refusal } from '../../contract/refusal.ts';
import type { Clock } from '../../platform/clock.ts';
import { TRANSITIONS, type VersionState } from './states.ts';

/** States that are remembered for `/versions`. */
const HISTORY = 20;

export interface HistoryEntry {
  state: VersionState;
  /** Milliseconds since the epoch. */
  at: number;
  /** Codes of the reasons, of a refusal or failure. */
  codes?: readonly string[];
}

/** The state that a version is in, why, and what it was in before. */
export class StateRecord {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #history: HistoryEntry[] = [];
  #state: VersionState = 'discovered';
  #reasons: readonly Refusal[] = [];

  /** @param name for messages */
  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
    this.#note();
  }

  get state(): VersionState {
    return this.#state;
  }

  get reasons(): readonly Refusal[] {
    return this.#reasons;
  }

  get history(): readonly HistoryEntry[] {
    return this.#history;
  }

  /** @throws KedgeError `internal` for a change that {@link TRANSITIONS} does not allow */
  become(state: VersionState, reasons: readonly Refusal[]): void {
    if (!TRANSITIONS[this.#state].includes(state))
      throw new KedgeError('internal', `${this.#name} cannot go from ${this.#state} to ${state}.`);
    this.#state = state;
    this.#reasons = reasons;
    this.#note();
  }

  #note(): void {
    const codes = this.#reasons.map(({ code }) => code);
    this.#history.push({ state: this.#state, at: this.#clock.now(), ...(codes.length > 0 && { codes }) });
    if (this.#history.length > HISTORY) this.#history.shift();
  }
}
