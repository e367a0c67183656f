import { setImmediate, setTimeout } from 'node:timers/promises';
import { requestBytes } from '../load/request-bytes.ts';
import { quantile } from '../statistics.ts';
import { Connection } from './connection.ts';

/**
 * An open loop: requests are sent when their time has come, whether those before are answered or not, and each is measured from the time that it was
 * scheduled for. A server that stands still thereby pays for every request that should have come meanwhile (no coordinated omission). What
 * finds every connection taken is not sent, and counts as dropped. Started as a child; reads one job as JSON from argument 1, writes its result as JSON.
 */
export interface OpenLoadJob {
  port: number;
  path: string;
  body: string;
  headers?: Record<string, string>;
  /** Most requests under way. */
  connections: number;
  perSecond: number;
  /** Milliseconds. */
  warmUpMs: number;
  durationMs: number;
  /** A good answer comes within this time, in milliseconds, of when it was scheduled; any time if absent. */
  deadlineMs?: number;
  /** How long the last requests may wait for their answers after the end, in milliseconds; what has none by then failed. */
  lastMs?: number;
  /** Tell of each request and of each distinct body of an answer: for low rates. */
  each?: boolean;
}

/** A request: when it was scheduled, in milliseconds since 1970; how long until its answer, in milliseconds; and its status, 0 if it had none. */
export type Sample = [at: number, ms: number, status: number];

export interface OpenLoadResult {
  scheduled: number;
  /** Status 200 and in time. */
  good: number;
  /** Status 200, too late. */
  late: number;
  /** Status 503. */
  refused: number;
  /** Any other status, or none. */
  failed: number;
  /** Never sent. */
  dropped: number;
  seconds: number;
  /** Of answers with status 200, in milliseconds. */
  p50: number;
  p99: number;
  /** How far behind its own schedule the load was, 99th percentile in milliseconds: more than a little, and it measured itself. */
  behindP99: number;
  /** With `each`. */
  samples: Sample[];
  answers: { body: string; count: number }[];
}

/** Time for the last answers where the job says none, in milliseconds. */
const LAST_MS = 2_000;
/** From this rate on, what is due within a millisecond is sent together, and so up to a millisecond late. */
const TOGETHER_PER_SECOND = 2_000;
/** Distinct bodies that are told of. */
const MAX_ANSWERS = 1_000;

async function drive(job: OpenLoadJob): Promise<OpenLoadResult> {
  const { port, connections, perSecond, warmUpMs, durationMs, each } = job;
  const { deadlineMs = Number.POSITIVE_INFINITY, lastMs = LAST_MS } = job;
  const bytes = requestBytes('127.0.0.1', job.path, job.body, job.headers);
  const free: Connection[] = [];
  // Not all at once: the backlog of a listener is shorter.
  for (let opened = 0; opened < connections; opened += 1) free.push(await Connection.open(port, each));
  const all = [...free];

  const result = { scheduled: 0, good: 0, late: 0, refused: 0, failed: 0, dropped: 0 };
  const times: number[] = [];
  const behind: number[] = [];
  const samples: Sample[] = [];
  const answers = new Map<string, number>();

  const count = (at: number, status: number, body: string | undefined): void => {
    const ms = performance.now() - at;
    if (status === 200) {
      times.push(ms);
      if (ms <= deadlineMs) result.good += 1;
      else result.late += 1;
    } else if (status === 503) result.refused += 1;
    else result.failed += 1;
    if (!each) return;
    samples.push([performance.timeOrigin + at, ms, status]);
    if (body !== undefined && (answers.has(body) || answers.size < MAX_ANSWERS))
      answers.set(body, (answers.get(body) ?? 0) + 1);
  };

  /** Sent and not answered, of those that count. */
  let waiting = 0;
  const begin = performance.now() + warmUpMs;
  const end = begin + durationMs;
  const send = (at: number): void => {
    const counts = at >= begin;
    if (counts) {
      result.scheduled += 1;
      behind.push(performance.now() - at);
    }
    const connection = free.pop();
    if (!connection) {
      if (counts) result.dropped += 1;
      return;
    }
    if (counts) waiting += 1;
    connection.send(bytes, (status, body) => {
      free.push(connection);
      if (!counts) return;
      waiting -= 1;
      count(at, status, body);
    });
  };

  let told = false;
  for (let next = performance.now(); next < end; ) {
    const now = performance.now();
    if (!told && now >= begin) {
      process.stdout.write('begin\n');
      told = true;
    }
    for (; next <= now && next < end; next += 1_000 / perSecond) send(next);
    // A timer is a millisecond coarse; the rest is waited out, which also has the sockets read. Where many a millisecond are sent, waiting would take the
    // other half of the core that the server runs on, if the two are threads of one: they are sent together.
    if (next - now > 2) await setTimeout(Math.floor(next - now) - 1);
    else if (perSecond > TOGETHER_PER_SECOND) await setTimeout(1);
    else await setImmediate();
  }
  process.stdout.write('end\n');
  for (const over = performance.now() + lastMs; waiting > 0 && performance.now() < over; ) await setTimeout(5);
  result.failed += waiting;
  for (const connection of all) connection.close();
  return {
    ...result,
    seconds: durationMs / 1_000,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    behindP99: quantile(behind, 0.99),
    samples,
    answers: [...answers].map(([body, count]) => ({ body, count })),
  };
}

process.stdout.write(`${JSON.stringify(await drive(JSON.parse(process.argv[2]!) as OpenLoadJob))}\n`);
