import type { Options } from 'autocannon';
import { KedgeError } from '../../contract/errors.ts';
import { Random } from '../../platform/random.ts';
import { LENGTH_HEADER } from '../../server/api/request-body.ts';
import type { LoadRecord } from '../report/record.ts';
import { AnswerJudge, versionOf } from './answers.ts';
import type { LoadHooks } from './drive-load.ts';
import { headerOf } from './http-answer.ts';
import type { LoadRequest } from './load-options.ts';
import { pathOf } from './request-bytes.ts';
import type { Settlement } from './settlements.ts';
import { type Look, Tally } from './tally.ts';

export interface ClosedLoopOptions {
  /** As of the open loop. */
  url: string;
  requests: readonly LoadRequest[];
  connections: number;
  seconds: number;
  timeoutMs: number;
  /** In which order requests are sent: the same for the same seed. 1 if absent. */
  seed?: number;
}

const TICK_MS = 250;
/** Requests of one round over the weights. */
const ROUND = 100;
const MAX_PROBLEMS = 20;

/**
 * Closed-loop saturation by autocannon: each connection sends its next request when the last one was answered. It tells how much a server can do, and nothing of how long users
 * would wait: while the server stands still, next to nothing is sent. There is no schedule, so that requests belong to the second that they were over in, and nothing is behind.
 *
 * What of autocannon 9 misleads is gone round. Its latencies are whole milliseconds: those of its events, which are not, are taken in their place. Its correction for a rate is in
 * the wrong unit: it applies where a rate is set, and none is. Requests that were under way when a server closed their connection are told nowhere: they are what is missing of those sent, and failed.
 * Certificates are not checked by it: https is refused. Bodies of answers are texts to it, in which bytes of binary tensors are lost: the first such answer that is to be judged ends it.
 *
 * `../lean-load/closed-load.ts` is the other closed loop: a third of the CPU or less for a request, one body, and no look at what is answered. It is not behind `--tool autocannon`, whose figures
 * are held against those of others who run autocannon, and which must tell a wrong answer.
 * @throws KedgeError `config-invalid`
 */
export async function saturate(options: ClosedLoopOptions, hooks: LoadHooks = {}): Promise<LoadRecord> {
  const { url, requests, connections, seconds, timeoutMs, seed = 1 } = options;
  const { signal, onInterval, onLook } = hooks;
  if (new URL(url).protocol !== 'http:') {
    throw new KedgeError('config-invalid', 'autocannon does not check certificates; give it an http:// URL.');
  }
  // Loaded when asked for: it is a bundle of its own, of 600 kB.
  const { default: autocannon } = await import('autocannon');
  const tally = new Tally();
  const problems = new Set<string>();
  const began = performance.now();
  const secondsNow = (): number => (performance.now() - began) / 1_000;
  /** What was found of the answer that is told of next. */
  let found: { version: string | undefined; problem: string | undefined } = { version: undefined, problem: undefined };
  let over = 0;
  let unreadable = false;
  const settle = (rest: Pick<Settlement, 'outcome' | 'status' | 'latency'>, version?: string): void => {
    over += 1;
    tally.add({ interval: Math.floor(secondsNow()), version: -1, ...rest }, version);
  };
  const note = (problem: string): void => {
    if (problems.size < MAX_PROBLEMS) problems.add(problem);
  };

  const cannon: Options = {
    url,
    connections,
    duration: Math.max(1, seconds),
    timeout: timeoutMs / 1_000,
    requests: inTurn(requests, new Random(seed)).map((request) => {
      const judge = new AnswerJudge(request.check);
      const prefix = new URL(url).pathname.replace(/\/$/, '');
      return {
        method: 'POST' as const,
        path: prefix + pathOf(request),
        // It takes no bytes but those of a Buffer.
        body: Buffer.from(request.body as Uint8Array),
        headers: { 'content-type': 'application/json', ...request.headers },
        onResponse: (status: number, body: string, _context: object, headers?: object) => {
          const answer = { status, head: headOf(headers as Record<string, unknown>), body: Buffer.from(body) };
          if (request.check !== 'status' && headerOf(answer.head, LENGTH_HEADER) !== undefined) {
            unreadable = true;
            running.stop();
          }
          const version = status === 200 ? versionOf(answer) : undefined;
          const problem = status === 200 ? judge.problemOf(answer, version) : `status ${status}: ${body.slice(0, 160)}`;
          found = { version: version === undefined ? undefined : `${request.model}/${version}`, problem };
          if (problem !== undefined) note(`${request.model}: ${problem}`);
        },
      };
    }),
  };
  const ended = Promise.withResolvers<number>();
  const running = autocannon(cannon, (error, result) => {
    if (error) ended.reject(error);
    else ended.resolve(result.requests.sent);
  });
  running.on('response', (_client, status, _bytes, ms) => {
    const outcome = status !== 200 ? 'failed' : found.problem === undefined ? 'ok' : 'wrong';
    settle({ outcome, status, latency: ms * 1_000 }, found.version);
  });
  running.on('reqError', (error: Error) => {
    note(error.message);
    settle({ outcome: 'failed', status: 0, latency: 0 });
  });
  const stop = (): void => running.stop();
  signal?.addEventListener('abort', stop);
  const ticks = setInterval(() => {
    for (const interval of tally.close(Math.floor(secondsNow()))) onInterval?.(interval);
    onLook?.(tally.look(Math.min(seconds, secondsNow()), connections) satisfies Look);
  }, TICK_MS);
  try {
    const sent = await ended.promise;
    // One on each connection is under way at the end; whatever else was sent and not told of was lost with its connection.
    const lost = sent - connections - over;
    if (lost > 0) note('the server closed the connection');
    for (let count = 0; count < lost; count += 1) settle({ outcome: 'failed', status: 0, latency: 0 });
  } finally {
    clearInterval(ticks);
    signal?.removeEventListener('abort', stop);
  }
  if (unreadable) {
    throw new KedgeError(
      'config-invalid',
      'Answers are binary, and autocannon cannot hold them against each other: give it --status-only, ask for JSON, or leave out --tool.',
    );
  }
  for (const interval of tally.close(Math.ceil(secondsNow()))) onInterval?.(interval);
  return { intervals: tally.intervals, total: tally.total(), problems: [...problems] };
}

/** Requests as often as their weights say (smooth weighted round robin, as nginx does), in a drawn order: each connection goes through it from its start. */
export function inTurn(requests: readonly LoadRequest[], random: Random): LoadRequest[] {
  const sum = requests.reduce((total, { weight }) => total + weight, 0);
  const due = requests.map(() => 0);
  const turns = Array.from({ length: requests.length === 1 ? 1 : Math.max(ROUND, 2 * requests.length) }, () => {
    for (const [index, { weight }] of requests.entries()) due[index]! += weight;
    const next = due.indexOf(Math.max(...due));
    due[next]! -= sum;
    return { request: requests[next]!, place: random.next() };
  });
  return turns.sort((a, b) => a.place - b.place).map(({ request }) => request);
}

function headOf(headers: Readonly<Record<string, unknown>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `\r\n${name}: ${String(value)}`)
    .join('');
}
