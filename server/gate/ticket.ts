import type { ServerResponse } from 'node:http';
import type { RunOptions, RunTimes } from '../../engine/engine.ts';
import { ClientGone } from './client-gone.ts';
import type { VersionQueue } from './queue.ts';

/** Priorities of the engine; Triton's 1 is the high one here, and every other the normal one. */
export const NORMAL = 0;
export const HIGH = 1;

/** The response of a request, as far as it tells whether anybody waits for it. */
export type Waiter = Pick<ServerResponse, 'destroyed'>;

/**
 * One request for an inference, from its head to its answer. It is the options of its own run, and the signal in them, so that a request
 * pays for one object and neither timer nor listener.
 *
 * asked    — its head is here; how long it may take is known, its rows are not yet
 * admitted — counted in its {@link VersionQueue}; waits in the engine, or runs
 * refused  — never admitted: it could not be answered in time, or too much waits
 * ended    — answered, failed, expired (dropped before its run, or its run took too long) or cancelled (its client went away)
 */
export class Ticket implements RunOptions {
  /** Milliseconds on a clock that never goes back: when it came, its wait in the socket included. */
  readonly arrivedAt: number;
  readonly #waiter: Waiter;
  priority = NORMAL;
  /** Milliseconds from `arrivedAt` in which it wants its answer; undefined: no limit. */
  budgetMs: number | undefined;
  /** What is left of it once admitted: the limit of the run. */
  timeoutMs?: number;
  rows = 1;
  /** Of its body. */
  bytes = 0;
  /** Of memory, as {@link BodyBytes} counts it. */
  held = 0;
  /** Where it is counted, while admitted. */
  queue: VersionQueue | undefined;
  /** When its body was whole, when its run was asked for and when that ended, in seconds on the clock of the stats. */
  readAt = 0;
  runAt = 0;
  ranAt = 0;
  /** What its run came to, if it had one. */
  times: RunTimes | undefined;

  constructor(waiter: Waiter, arrivedAt: number, budgetMs: number | undefined) {
    this.#waiter = waiter;
    this.arrivedAt = arrivedAt;
    this.budgetMs = budgetMs;
  }

  /** Asked by the engine before it runs what waits. */
  get signal(): Pick<AbortSignal, 'aborted' | 'reason'> {
    return this;
  }

  get aborted(): boolean {
    return this.#waiter.destroyed;
  }

  get reason(): ClientGone {
    return new ClientGone();
  }

  leftMs(now: number): number | undefined {
    return this.budgetMs === undefined ? undefined : this.arrivedAt + this.budgetMs - now;
  }

  onRun(times: RunTimes): void {
    this.times = times;
  }
}
