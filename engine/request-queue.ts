import { KedgeError } from '../contract/errors.ts';
import { type Batch, type BatchBounds, chooseBatch, rowsLeft, type Unrun, type Waiting } from './batch-choice.ts';

/** The requests that wait for one model. */
export class RequestQueue {
  readonly #name: string;
  #waiting: Waiting[] = [];
  #rows = 0;

  /** @param name for messages: `demand/8` */
  constructor(name: string) {
    this.#name = name;
  }

  get requests(): number {
    return this.#waiting.length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Higher priorities first, else in the order in which they came. */
  insert(request: Waiting): void {
    const { priority = 0 } = request.options;
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]!.options.priority ?? 0) < priority) at -= 1;
    if (at === this.#waiting.length) this.#waiting.push(request);
    else this.#waiting.splice(at, 0, request);
    this.#rows += rowsLeft(request);
  }

  /** Takes out what goes into the next run, and rejects what shall not be run. */
  take(bounds: BatchBounds): Batch {
    const { batch, left, unrun } = chooseBatch(this.#waiting, bounds);
    this.#waiting = left;
    this.#rows = 0;
    for (const request of left) this.#rows += rowsLeft(request);
    for (const { request, why } of unrun) request.reject(this.#errorOf(request, why, bounds));
    return batch;
  }

  /** Rejects a request that was taken out if nobody waits for it any more. @returns whether it is still to be run */
  isWanted(request: Waiting, bounds: BatchBounds): boolean {
    const [unrun] = chooseBatch([request], bounds).unrun;
    if (unrun) request.reject(this.#errorOf(request, unrun.why, bounds));
    return unrun === undefined;
  }

  #errorOf({ options }: Waiting, why: Unrun, { maxPieceRows }: BatchBounds): unknown {
    switch (why) {
      case 'cancelled':
        return options.signal!.reason;
      case 'late':
        return lateError(this.#name, options.timeoutMs!);
      case 'hopeless':
        return hopelessError(this.#name, options.timeoutMs!);
      case 'large':
        return largeError(this.#name, maxPieceRows);
    }
  }
}

/** What a request is told whose time is over. */
export function lateError(name: string, timeoutMs: number): KedgeError {
  return new KedgeError(
    'engine-timeout',
    `${name} did not answer within ${timeoutMs} ms: allow more time, or send fewer rows.`,
  );
}

function hopelessError(name: string, timeoutMs: number): KedgeError {
  return new KedgeError(
    'overloaded',
    `${name} could not answer within ${timeoutMs} ms any more, by what a row takes: ask again later, allow more time, or send fewer rows.`,
  );
}

function largeError(name: string, maxRows: number): KedgeError {
  return new KedgeError(
    'request-invalid',
    `${name} has to run this request in one piece, while all others wait, so it may have at most ${maxRows} rows: give every input the same number of rows, leave optional inputs out, or send fewer rows.`,
  );
}
