import { setImmediate, setTimeout } from 'node:timers/promises';
import { AnswerJudge } from './answers.ts';
import { type HttpAnswer, HttpConnection } from './http-connection.ts';
import { Judgements } from './judgements.ts';
import type { LoadOrder, LoadReport } from './load-entry.ts';
import type { LoadRequest } from './load-options.ts';
import { ownArrivals } from './own-arrivals.ts';
import { pathOf, requestBytes } from './request-bytes.ts';
import { durationOf } from './schedule.ts';
import { Settlements } from './settlements.ts';

/** A timer is a millisecond coarse; what is left of a wait is spun, which also has the sockets read. */
const SPIN_MS = 2;
/** Longest wait, after which a stop is noticed. */
const NAP_MS = 20;
/** Most requests that are sent before answers are read again: those that wait to be read count as under way, and a driver that is late must not drop for it. */
const BURST = 64;
/** How often timeouts are looked for, and how often it is told what happened. */
const CHECK_MS = 2;
const TELL_MS = 100;

interface Flight {
  target: Target;
  connection: HttpConnection;
  interval: number;
  at: number;
  behind: number;
}

interface Target {
  model: string;
  bytes: Buffer;
  judge: AnswerJudge;
}

/**
 * Sends the arrivals of one thread when their time has come, whether those before are answered or not, and measures each from the time that it was scheduled for. A
 * server that stands still thereby pays for every request that should have come meanwhile (no coordinated omission).
 */
export class Sender {
  readonly #order: LoadOrder;
  readonly #url: URL;
  readonly #tell: (report: LoadReport, transfer?: ArrayBuffer[]) => void;
  readonly #now: () => number;
  readonly #targets: readonly Target[];
  readonly #mostFlights: number;
  /** Connections that wait for a request, the last used at the end: few stay warm, and the others end as they idle. */
  readonly #idle: HttpConnection[] = [];
  readonly #connections = new Set<HttpConnection>();
  /** In the order in which they were scheduled. */
  readonly #flights = new Set<Flight>();
  readonly #settled = new Settlements();
  readonly #judgements = new Judgements();
  /** Under way, by interval; intervals without any are left out. */
  readonly #open = new Map<number, number>();
  #newInFlight: number[] = [];
  #interval = 0;
  #stopped = false;
  #lookedAt = 0;
  #toldAt = 0;
  #answeredAt = 0;

  /** @param now milliseconds, on a clock that all threads have */
  constructor(order: LoadOrder, now: () => number, tell: (report: LoadReport, transfer?: ArrayBuffer[]) => void) {
    const { requests, url, maxOutstanding } = order.options;
    this.#order = order;
    this.#now = now;
    this.#tell = tell;
    this.#url = new URL(url);
    this.#targets = requests.map((request) => targetOf(request, this.#url));
    const { index, workers } = order;
    this.#mostFlights = Math.floor(maxOutstanding / workers) + (index < maxOutstanding % workers ? 1 : 0);
  }

  /** Sends no more; what is under way is waited for. */
  stop(): void {
    this.#stopped = true;
  }

  /** @param begin when the schedule begins. Resolves once every request is over and told of */
  async run(begin: number): Promise<void> {
    const { compression, schedule, coarse } = this.#order.options;
    const end = begin + (durationOf(schedule) / compression) * 1_000;
    const intervals = Math.ceil(durationOf(schedule));
    const intervalAt = (seconds: number): number => Math.min(intervals - 1, Math.floor(seconds * compression));
    const arrivals = ownArrivals(this.#order);
    let next = arrivals.next();
    this.#toldAt = begin;
    while (!this.#stopped) {
      const now = this.#now();
      for (let sent = 0; sent < BURST && !next.done && begin + next.value.at * 1_000 <= now; sent += 1) {
        this.#enter(intervalAt(next.value.at));
        this.#send(this.#targets[next.value.target]!, begin + next.value.at * 1_000);
        next = arrivals.next();
      }
      this.#look(now);
      const due = next.done ? end : Math.min(end, begin + next.value.at * 1_000);
      if (due > now || next.done) this.#enter(intervalAt((now - begin) / 1_000));
      if (due <= now && next.done) break;
      await this.#wait(due - now, coarse);
    }
    this.#enter(this.#interval + 1);
    while (this.#flights.size > 0) {
      await setTimeout(1);
      this.#look(this.#now());
    }
    this.#flush();
    for (const connection of this.#connections) connection.close();
    this.#tell({ kind: 'done' });
  }

  async #wait(ms: number, coarse: boolean): Promise<void> {
    if (ms <= 0) await setImmediate();
    else if (coarse) await setTimeout(Math.min(NAP_MS, Math.max(1, Math.floor(ms))));
    else if (ms > SPIN_MS) await setTimeout(Math.min(NAP_MS, Math.floor(ms) - 1));
    else await setImmediate();
  }

  /** Time has come to an interval: those before it have ended. */
  #enter(interval: number): void {
    for (; this.#interval < interval; this.#interval += 1) this.#newInFlight.push(this.#flights.size);
  }

  #send(target: Target, at: number): void {
    const late = this.#now() - at;
    const behind = late * 1_000;
    const interval = this.#interval;
    // It would have failed as soon as it was sent.
    const isOver = late >= this.#order.options.timeoutMs;
    if (isOver || this.#flights.size >= this.#mostFlights) {
      this.#settled.add({ interval, outcome: 'dropped', status: 0, version: -1, latency: 0, behind });
      return;
    }
    const connection = this.#connection();
    const flight = { target, connection, interval, at, behind };
    this.#flights.add(flight);
    this.#open.set(interval, (this.#open.get(interval) ?? 0) + 1);
    connection.send(target.bytes, (answer, why) => this.#over(flight, answer, why));
  }

  #connection(): HttpConnection {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) if (idle.usable) return idle;
    const opened = new HttpConnection(this.#url, (closed) => this.#connections.delete(closed));
    this.#connections.add(opened);
    return opened;
  }

  #over(flight: Flight, answer: HttpAnswer | undefined, why = ''): void {
    const { target, connection, interval, at, behind } = flight;
    const now = this.#now();
    const latency = (now - at) * 1_000;
    this.#flights.delete(flight);
    const left = this.#open.get(interval)! - 1;
    if (left > 0) this.#open.set(interval, left);
    else this.#open.delete(interval);
    const { requestsPerConnection = Number.POSITIVE_INFINITY } = this.#order.options;
    if (connection.sent >= requestsPerConnection) connection.close();
    else if (connection.usable) this.#idle.push(connection);
    const { outcome, version } = this.#judgements.of(target, answer, why);
    if (outcome === 'ok') this.#answeredAt = now;
    this.#settled.add({ interval, outcome, status: answer?.status ?? 0, version, latency, behind });
  }

  /** Ends what took too long, and tells now and then. */
  #look(now: number): void {
    if (now - this.#lookedAt < CHECK_MS) return;
    this.#lookedAt = now;
    for (const { at, connection } of this.#flights) {
      if (now - at < this.#order.options.timeoutMs) break;
      connection.close('no answer in time');
    }
    if (now - this.#toldAt >= TELL_MS) this.#flush(now);
  }

  #flush(now = this.#now()): void {
    this.#toldAt = now;
    const settled = this.#settled.take();
    this.#tell(
      {
        kind: 'batch',
        settled,
        ...this.#judgements.take(),
        inFlight: this.#newInFlight,
        underWay: this.#flights.size,
        openFrom: Math.min(this.#interval, ...this.#open.keys()),
        answeredAt: this.#answeredAt,
      },
      [settled.buffer],
    );
    this.#newInFlight = [];
  }
}

function targetOf(request: LoadRequest, url: URL): Target {
  const { model, body, headers, check } = request;
  const path = url.pathname.replace(/\/$/, '') + pathOf(request);
  return { model, bytes: requestBytes(url.host, path, body, headers), judge: new AnswerJudge(check) };
}
