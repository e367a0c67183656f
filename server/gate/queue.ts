import { LOAD_REASONS, type LoadReason } from './admission.ts';
import { nextRowCost } from './cost.ts';
import { Margin } from './margin.ts';
import { HIGH, type Ticket } from './ticket.ts';

/** A cost that was seen longer ago than this, in milliseconds, refuses nobody: with nothing admitted it could never be corrected. */
const STALE_MS = 1_000;

/** A request of more rows is large. */
export const LARGE_ROWS = 256;

/**
 * The queue of one version: what is admitted and not answered yet, and what a row of it costs. The requests themselves wait in the engine,
 * which merges them, lets high priorities go first and drops what expired or lost its client before it is run; a second line of waiting
 * before it would only keep it from merging. So this is a count, moved by {@link Ticket}s in one place each.
 */
export class VersionQueue {
  readonly model: string;
  readonly version: string;
  /** Requests that were not answered, by reason. */
  readonly turnedAway: Record<LoadReason, number> = Object.fromEntries(
    LOAD_REASONS.map((reason) => [reason, 0]),
  ) as Record<LoadReason, number>;
  /** How much of the time that requests have left their admission may plan with. */
  readonly margin = new Margin();
  #requests = 0;
  #rows = 0;
  #highRows = 0;
  #large = { requests: 0, rows: 0 };
  #rowMs: number | undefined;
  #learntAt = Number.NEGATIVE_INFINITY;

  constructor(model: string, version: string) {
    this.model = model;
    this.version = version;
  }

  get requests(): number {
    return this.#requests;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows that run before one of that priority. */
  rowsAhead(priority: number): number {
    return priority >= HIGH ? this.#highRows : this.#rows;
  }

  /** Requests with many rows, which the engine runs in parts where it keeps the rows of the version apart. */
  get large(): { requests: number; rows: number } {
    return this.#large;
  }

  /** What a row costs in milliseconds; undefined where nothing recent tells. */
  rowMs(now: number): number | undefined {
    return this.#requests > 0 || now - this.#learntAt <= STALE_MS ? this.#rowMs : undefined;
  }

  /** Milliseconds of work that is admitted. */
  get workMs(): number {
    return this.#rows * (this.#rowMs ?? 0);
  }

  add(ticket: Ticket): void {
    this.#count(ticket, 1);
  }

  #count({ rows, priority }: Ticket, sign: 1 | -1): void {
    this.#requests += sign;
    this.#rows += sign * rows;
    if (priority >= HIGH) this.#highRows += sign * rows;
    if (rows <= LARGE_ROWS) return;
    this.#large.requests += sign;
    this.#large.rows += sign * rows;
  }

  remove(ticket: Ticket, now: number): void {
    const { rows, times } = ticket;
    this.#count(ticket, -1);
    if (!times) return;
    // A run of one request has the rows that this one has, whether the engine knows of rows or not.
    this.#rowMs = nextRowCost(this.#rowMs, times.computeMs, times.requests === 1 ? rows : times.rows, times.requests);
    this.#learntAt = now;
  }
}
