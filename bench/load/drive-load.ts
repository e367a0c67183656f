import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { KedgeError } from '../../contract/errors.ts';
import type { LoadInterval, LoadRecord } from '../report/record.ts';
import { AnswerJudge } from './answers.ts';
import { LOAD_ENTRY, type LoadCommand, type LoadOrder, type LoadReport } from './load-entry.ts';
import type { LoadOptions } from './load-options.ts';
import { durationOf } from './schedule.ts';
import { readSettlements } from './settlements.ts';
import { type Look, Tally } from './tally.ts';

export interface LoadHooks {
  /** Stops sending; what is under way is waited for, and the record is of what was. */
  signal?: AbortSignal | undefined;
  /** Told once when the load begins: in so many milliseconds of the wall. */
  onBegin?(inMs: number): void;
  /** Told of each interval once nothing of it is under way any more, in order. */
  onInterval?(interval: LoadInterval): void;
  /** Told about four times a second of the wall what is going on. */
  onLook?(look: Look): void;
}

/** From the order until the first request: what a thread needs to take it up. */
const BEGIN_MS = 20;
const LOOK_MS = 250;
const MAX_PROBLEMS = 20;
/** Cores for each thread: one is spun by the driver, and the others are for what it drives. */
const CORES_PER_WORKER = 4;

/**
 * Sends requests as a schedule says, in threads of its own, and counts what comes of them.
 * @throws KedgeError `config-invalid` or `document-invalid` where nothing can be sent as the options say; Error where a thread dies
 */
export async function driveLoad(options: LoadOptions, hooks: LoadHooks = {}): Promise<LoadRecord> {
  checkOptions(options);
  const { signal, onBegin, onInterval, onLook } = hooks;
  const { workers = Math.max(1, Math.floor(availableParallelism() / CORES_PER_WORKER)) } = options;
  const threads = Array.from(
    { length: workers },
    (_, index) => new Worker(LOAD_ENTRY, { workerData: orderOf(options, index, workers), name: `load ${index}` }),
  );
  const tally = new Tally();
  const openFrom = new Array<number>(workers).fill(0);
  const underWay = new Array<number>(workers).fill(0);
  const ended = new Array<number>(workers).fill(0);
  const versions = threads.map((): string[] => []);
  const problems = new Set<string>();
  let answeredAt = 0;

  const take = (index: number, report: LoadReport): void => {
    if (report.kind !== 'batch') return;
    versions[index]!.push(...report.versions);
    for (const settlement of readSettlements(report.settled)) {
      tally.add(settlement, versions[index]![settlement.version]);
    }
    for (const count of report.inFlight) {
      tally.addInFlight(ended[index]!, count);
      ended[index]! += 1;
    }
    for (const problem of report.problems) problems.add(problem);
    openFrom[index] = report.openFrom;
    underWay[index] = report.underWay;
    answeredAt = Math.max(answeredAt, report.answeredAt);
    for (const interval of tally.close(Math.min(...openFrom))) onInterval?.(interval);
  };
  const command = (given: LoadCommand): void => {
    for (const thread of threads) thread.postMessage(given);
  };
  try {
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const begin = now() + BEGIN_MS;
    const done = Promise.all(threads.map((thread, index) => untilDone(thread, (report) => take(index, report))));
    command({ kind: 'begin', at: begin });
    onBegin?.(begin - now());
    const stop = (): void => command({ kind: 'stop' });
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    const { compression = 1 } = options;
    const looks = setInterval(() => {
      const at = Math.min(durationOf(options.schedule), Math.max(0, ((now() - begin) / 1_000) * compression));
      onLook?.(tally.look(at, sum(underWay)));
    }, LOOK_MS);
    try {
      await done;
    } finally {
      clearInterval(looks);
      signal?.removeEventListener('abort', stop);
    }
    for (const interval of tally.close(Math.max(...ended))) onInterval?.(interval);
    const total = { ...tally.total(), ...(answeredAt > 0 && { answeredSeconds: (answeredAt - begin) / 1_000 }) };
    return { intervals: tally.intervals, total, problems: [...problems].slice(0, MAX_PROBLEMS) };
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function checkOptions({ url, requests, maxOutstanding = 1, workers = 1 }: LoadOptions): void {
  const problems: string[] = [];
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) problems.push(`'${url}' must begin with http:// or https://.`);
  if (requests.length === 0) problems.push('There are no requests to send.');
  for (const { model, weight } of requests) if (!(weight > 0)) problems.push(`The weight of ${model} must be over 0.`);
  if (!(maxOutstanding >= workers)) problems.push('maxOutstanding must be 1 or more for each thread.');
  if (problems.length > 0) throw new KedgeError('config-invalid', problems.join('\n'));
  // An error of a thread is no KedgeError any more when it is told here.
  for (const { check } of requests) new AnswerJudge(check);
}

/** Milliseconds, on the clock of all threads. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function untilDone(thread: Worker, onReport: (report: LoadReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.on('message', (report: LoadReport) => {
      if (report.kind === 'done') resolve();
      else onReport(report);
    });
    thread.on('error', reject);
    thread.on('exit', (code) => reject(new Error(`A thread of the load ended with ${code}.`)));
  });
}

function orderOf(options: LoadOptions, index: number, workers: number): LoadOrder {
  const { deadlineMs, requests } = options;
  const deadline: Record<string, string> = deadlineMs === undefined ? {} : { 'kedge-timeout-ms': String(deadlineMs) };
  return {
    index,
    workers,
    options: {
      url: options.url,
      requests: requests.map((request) => ({ ...request, headers: { ...deadline, ...request.headers } })),
      schedule: options.schedule,
      seed: options.seed ?? 1,
      maxOutstanding: options.maxOutstanding ?? 256,
      timeoutMs: options.timeoutMs ?? 10_000,
      compression: options.compression ?? 1,
      coarse: options.coarse ?? false,
      ...(options.requestsPerConnection !== undefined && { requestsPerConnection: options.requestsPerConnection }),
    },
  };
}
