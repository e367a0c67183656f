import { hasCode, KedgeError } from '../../contract/errors.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { requestRows } from '../../engine/request-rows.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { judgeLoad, type LoadLimits, type LoadReason, type LoadRefusal } from './admission.ts';
import { BodyBytes } from './body-bytes.ts';
import { ClientGone } from './client-gone.ts';
import { LARGE_ROWS, VersionQueue } from './queue.ts';
import { HIGH, Ticket, type Waiter } from './ticket.ts';
import { LoopTurns } from './turns.ts';

export interface GateOptions extends LoadLimits {
  /** Most rows of one request. */
  maxRows: number;
  /** Most bytes that requests of all versions hold, of bodies and of answers. */
  queueBytes: number;
  /** How long a request for a model may take if it does not say, in milliseconds; undefined: no limit. */
  deadlineMs: (model: string) => number | undefined;
}

/** What answering a request costs, to taking it in. */
const ANSWERING = 0.5;

/** What of a version the gate goes by. */
export type Gated = Pick<ServedVersion, 'model' | 'version' | 'digest' | 'placement' | 'signature' | 'merging'>;

/**
 * Admission of load: knows what is admitted and what it costs, and refuses at once what could only be answered too late, so that what is
 * admitted is answered in time. It holds nothing back and makes no promise or timer of its own.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #queues = new Map<string, VersionQueue>();
  /** Those on the serving loop that have work: they take turns with each other. */
  readonly #busyInline = new Set<VersionQueue>();
  /** What requests hold of memory, whether they are admitted or not. */
  readonly bytes: BodyBytes;
  readonly #turns: LoopTurns;
  /** Whether some request has a deadline: only then turns of the loop are watched. */
  #watching = false;

  constructor(options: GateOptions, turns = new LoopTurns()) {
    this.#options = options;
    this.bytes = new BodyBytes(options.queueBytes);
    this.#turns = turns;
  }

  /**
   * A request whose head is here.
   * @param timeout header `kedge-timeout-ms`
   * @param now milliseconds on a clock that never goes back
   * @throws KedgeError `request-invalid`
   */
  ask(waiter: Waiter, model: string, timeout: string | undefined, now: number): Ticket {
    const budgetMs = timeout === undefined ? this.#options.deadlineMs(model) : parseTimeout(timeout);
    this.#watching ||= budgetMs !== undefined;
    return new Ticket(waiter, this.#watching ? now - this.#turns.take(now) : now, budgetMs);
  }

  /** Refuses before the body is read what even a single row would be too much for. @throws KedgeError `overloaded` */
  check(ticket: Ticket, version: Gated, now: number): void {
    const queue = this.#queueOf(version);
    if (queue.requests > 0 || ticket.budgetMs !== undefined) this.#judge(ticket, queue, version, now);
  }

  /** More bytes of a request, before they are kept, until they are released. @throws KedgeError `overloaded` where there is no room for them */
  take(ticket: Ticket, version: Gated, bytes: number): void {
    if (this.bytes.take(ticket, bytes)) return;
    this.#queueOf(version).turnedAway.bytes += 1;
    throw overloaded(version, { reason: 'bytes', retryMs: 0 });
  }

  /** Admits a request that is understood. Each call that returns is followed by one of {@link leave}. @throws KedgeError `overloaded`, `request-invalid` */
  enter(ticket: Ticket, version: Gated, inputs: Tensors, now: number): void {
    const queue = this.#queueOf(version);
    ticket.rows = requestRows(version.signature, inputs);
    if (ticket.rows > this.#options.maxRows) {
      throw new KedgeError(
        'request-invalid',
        `The request has ${ticket.rows} rows, over the limit of ${this.#options.maxRows}: send several, or raise KEDGE_MAX_ROWS.`,
      );
    }
    const leftMs = ticket.leftMs(now);
    if (queue.requests > 0 || leftMs !== undefined) this.#judge(ticket, queue, version, now);
    if (leftMs !== undefined) ticket.timeoutMs = leftMs;
    ticket.queue = queue;
    queue.add(ticket);
    if (version.placement.engine === 'inline') this.#busyInline.add(queue);
  }

  /** The end of an admitted request. @param error what its run failed with, if so */
  leave(ticket: Ticket, now: number, error?: unknown): void {
    const queue = ticket.queue!;
    ticket.queue = undefined;
    queue.remove(ticket, now);
    this.#turns.worked(now);
    if (queue.requests === 0) this.#busyInline.delete(queue);
    if (ticket.aborted || error instanceof ClientGone) queue.turnedAway.cancelled += 1;
    else if (hasCode(error, 'engine-timeout') && (ticket.leftMs(now) ?? 1) <= 1) {
      queue.turnedAway.expired += 1;
      queue.margin.learn(true, now);
    } else if (hasCode(error, 'overloaded')) {
      // The engine dropped it before its time was over, as its run would have ended after that.
      queue.turnedAway.deadline += 1;
      queue.margin.learn(true, now);
    }
  }

  /** An admitted request is answered; whether that was in time tells how well admission knows what it adds up. */
  answered(ticket: Ticket, version: Gated, now: number): void {
    const leftMs = ticket.leftMs(now);
    if (leftMs !== undefined) this.#queueOf(version).margin.learn(leftMs < 0, now);
  }

  /** What taking in a request, and refusing it, costs the loop, in milliseconds; 0 where nothing recent tells. */
  requestMs(now: number): number {
    return this.#turns.requestMs(now);
  }

  /** The queues, for metrics. */
  queues(): Iterable<VersionQueue> {
    return this.#queues.values();
  }

  /** Drops those of versions that are gone. */
  keep(holds: (queue: VersionQueue) => boolean): void {
    for (const [key, queue] of this.#queues) if (queue.requests === 0 && !holds(queue)) this.#queues.delete(key);
  }

  #judge(ticket: Ticket, queue: VersionQueue, version: Gated, now: number): void {
    const inline = version.placement.engine === 'inline';
    const others = inline ? this.#busyInline : [];
    const othersMs: number[] = [];
    for (const other of others) if (other !== queue) othersMs.push(other.workMs);
    const { rows, priority } = ticket;
    // On the loop that runs them, first the other requests of this turn are taken in; answering one costs about half of that.
    const aroundMs = this.#turns.restMs(now) + ANSWERING * this.#turns.requestMs(now) * (queue.requests + 1);
    const leftMs = ticket.leftMs(now);
    const planMs = leftMs === undefined ? undefined : leftMs * queue.margin.share(now);
    // Large ones let a small one go between their parts, unless they have the higher priority.
    const isBetween = rows <= LARGE_ROWS && priority < HIGH && version.merging?.merges === true;
    const refusal = judgeLoad(
      { rows, leftMs: planMs },
      {
        rowsAhead: queue.rowsAhead(priority),
        ...(isBetween && { partedAhead: queue.large }),
        rowMs: queue.rowMs(now),
        othersMs,
        aroundMs: inline ? aroundMs : 0,
      },
      this.#options,
    );
    if (!refusal) return;
    queue.turnedAway[refusal.reason] += 1;
    throw overloaded(version, refusal);
  }

  #queueOf({ model, version, digest }: Gated): VersionQueue {
    let queue = this.#queues.get(digest);
    if (!queue) {
      queue = new VersionQueue(model, String(version));
      this.#queues.set(digest, queue);
    }
    return queue;
  }
}

function parseTimeout(text: string): number {
  const ms = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && ms > 0) return ms;
  throw new KedgeError('request-invalid', 'The header kedge-timeout-ms must be a number of milliseconds over 0.');
}

const SENTENCES: Record<LoadReason, string> = {
  rows: 'as many rows wait as KEDGE_QUEUE_ROWS allows',
  bytes: 'requests hold as many bytes as KEDGE_QUEUE_MB allows',
  wait: 'what waits would take longer than KEDGE_QUEUE_SECONDS allows',
  deadline: 'it could not be answered in the time that the request gives',
  expired: 'its time is over',
  cancelled: 'its client went away',
};

function overloaded({ model, version }: Gated, { reason, retryMs }: LoadRefusal): KedgeError {
  const retryAfter = Math.max(1, Math.ceil(retryMs / 1_000));
  // Where it stood tells nothing, and finding that out would be a sixth of what a refusal costs, just when there is no time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new KedgeError(
    'overloaded',
    `${model} version ${version} did not take the request: ${SENTENCES[reason]}. Ask again later.`,
    { details: { reason, retryAfter } },
  );
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
