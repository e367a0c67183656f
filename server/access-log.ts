import type { HttpBindings } from '@hono/node-server';
import { KedgeError } from '../contract/errors.ts';
import type { Log } from '../platform/log.ts';
import { ClientGone } from './gate/client-gone.ts';
import type { Ticket } from './gate/ticket.ts';
import { idsOf } from './request-id.ts';

export interface AccessLogOptions {
  /** Where errors are told of. */
  log: Log;
  /** Where the lines of requests go. */
  lines: Log;
  /** Share of the requests that are logged, 0 to 1. */
  sample: number;
  /** In [0, 1), for the choice and for ids. */
  random: () => number;
  /** Seconds on the clock that the tickets have. */
  now: () => number;
}

/** One request for a prediction, when its answer is about to go out. */
export interface Access {
  /** Empty where there is no such model, or no version could be chosen. */
  model: string;
  version: string;
  status: number;
  /** When its head was here, in seconds. */
  began: number;
  ticket: Ticket | undefined;
  /** What it failed with, if it did. */
  error: unknown;
}

/**
 * A line for each request for a prediction, or for a share of them. Where the share is not 0, defects (500) are logged always: they are few
 * and are what one looks for. What was refused under load (503) is not: then it is the many, and writing of them all would take the time that
 * the others need. Nothing is logged of bodies, tokens or addresses.
 */
export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #lines: Log;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    // Who asks for these lines gets them, whatever the level of the rest.
    this.#lines = options.lines.child({ log: 'access' }, options.sample > 0 ? { level: 'info' } : {});
  }

  wants(status: number): boolean {
    const { sample, random } = this.#options;
    return sample > 0 && (status === 500 || random() < sample);
  }

  /** Where an error is told of while a request is answered: with the ids of the request if it is a defect. */
  logOf({ incoming, outgoing }: HttpBindings, status: number): Log {
    const { log, random } = this.#options;
    return status === 500 ? log.child(idsOf(incoming, outgoing, random)) : log;
  }

  /** Logs a request once its answer went out, or its client went away. */
  write({ incoming, outgoing }: HttpBindings, access: Access): void {
    const ids = idsOf(incoming, outgoing, this.#options.random);
    const { socket } = incoming;
    // Behind the answers of other requests on its connection, its own bytes cannot be told from theirs.
    const before = outgoing.socket === null ? undefined : socket.bytesWritten;
    const line = (): void => {
      const bytesOut = before === undefined ? undefined : socket.bytesWritten - before;
      this.#lines.info({ ...ids, ...describeAccess(access, this.#options.now()), bytesOut }, 'request');
    };
    if (outgoing.destroyed) line();
    else outgoing.once('close', line);
  }

  /** Resolves once all lines are out. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#lines.flush(() => resolve()));
  }
}

/**
 * What a line tells, times in milliseconds: `durationMs` from the head to the end of the answer, `inputMs` to understand the body, `queueMs`
 * until the run began, `inferMs` of the run, which `batchRows` rows shared. `bytesIn` are those of the body, `bytesOut` those of the answer with
 * its head. Pure.
 * @param ended seconds
 */
export function describeAccess({ model, version, status, began, ticket, error }: Access, ended: number): object {
  const facts = { model, version, status, ...(error !== undefined && { code: codeOf(error) }) };
  const durationMs = milliseconds((ended - began) * 1_000);
  if (!ticket) return { ...facts, durationMs };
  const { bytes, rows, readAt, runAt, times } = ticket;
  return {
    ...facts,
    durationMs,
    ...(readAt > 0 && { bytesIn: bytes }),
    ...(runAt > 0 && { rows, inputMs: milliseconds((runAt - readAt) * 1_000) }),
    ...(times && {
      queueMs: milliseconds(times.queueMs),
      inferMs: milliseconds(times.computeMs),
      batchRows: times.requests === 1 ? rows : times.rows,
    }),
  };
}

function codeOf(error: unknown): string {
  if (error instanceof ClientGone) return 'client-gone';
  return error instanceof KedgeError ? error.code : 'internal';
}

/** To the microsecond. */
function milliseconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
