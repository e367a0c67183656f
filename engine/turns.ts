/** Something that has runs to make, such as the requests that wait for one model. */
export interface Participant {
  /** What its next run is expected to take, in milliseconds. */
  readonly expectedMs: number;
  /** Whether it has another run to make now. */
  readonly wants: boolean;
  /** Makes one run of what waits. Resolves with the milliseconds that it took; never rejects. */
  start(): Promise<number>;
}

export interface TurnsOptions {
  /** Further runs begin while those under way are expected to take less than this together, in milliseconds; 0: one at a time. */
  sliceMs: number;
}

/**
 * Who runs next, among models that share a loop or a process: the one that was served least so far (start-time fair queueing). So a model
 * whose request comes now and then waits for the run under way at most, however much waits for a busy one.
 *
 * The first run begins when this turn of the event loop has taken in what there was, so that it has all of it.
 */
export class FairTurns {
  readonly #sliceMs: number;
  readonly #served = new WeakMap<Participant, number>();
  readonly #waiting = new Set<Participant>();
  /** What the least served one that was granted a turn had been served: who comes anew starts from there, without credit for its absence. */
  #floor = 0;
  /** Who was granted the last turn, and how many one after another. */
  #latest: Participant | undefined;
  #turnsAlone = 0;
  #runs = 0;
  #runsMs = 0;
  #scheduled = false;

  constructor({ sliceMs }: TurnsOptions) {
    this.#sliceMs = sliceMs;
  }

  /** Asks for a turn. Later calls before it is granted do nothing. */
  ask(participant: Participant): void {
    if (this.#waiting.has(participant)) return;
    this.#served.set(participant, Math.max(this.#served.get(participant) ?? 0, this.#floor));
    this.#waiting.add(participant);
    this.#schedule();
  }

  /** Takes back a wish. */
  leave(participant: Participant): void {
    this.#waiting.delete(participant);
  }

  /** How many turns it had since another one had or wanted any. */
  turnsAlone(participant: Participant): number {
    const others = this.#waiting.size - (this.#waiting.has(participant) ? 1 : 0);
    return participant === this.#latest && others === 0 ? this.#turnsAlone : 0;
  }

  get #isFree(): boolean {
    return this.#runs === 0 || this.#runsMs < this.#sliceMs;
  }

  #schedule(): void {
    if (this.#scheduled || !this.#isFree || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#grant();
    });
  }

  #grant(): void {
    while (this.#waiting.size > 0 && this.#isFree) {
      const next = this.#leastServed();
      this.#waiting.delete(next);
      if (!next.wants) continue;
      this.#turnsAlone = next === this.#latest ? this.#turnsAlone + 1 : 1;
      this.#latest = next;
      const served = this.#served.get(next)!;
      this.#floor = Math.max(this.#floor, served);
      const { expectedMs } = next;
      this.#runs += 1;
      this.#runsMs += expectedMs;
      void next.start().then((ms) => {
        this.#runs -= 1;
        this.#runsMs -= expectedMs;
        this.#served.set(next, this.#served.get(next)! + ms - expectedMs);
        this.#schedule();
      });
      this.#served.set(next, served + expectedMs);
      if (next.wants) this.#waiting.add(next);
    }
  }

  #leastServed(): Participant {
    let least: Participant | undefined;
    for (const one of this.#waiting) {
      if (!least || this.#served.get(one)! < this.#served.get(least)!) least = one;
    }
    return least!;
  }
}
