import { openLoad } from '../../bench/lean-load/loads.ts';
import type { OpenLoadJob, OpenLoadResult } from '../../bench/lean-load/open-load.ts';

export interface SteadyResult {
  scheduled: number;
  good: number;
  refused: number;
  /** Any other status, a connection that broke, or no answer in time. */
  failed: number;
  /** Of those that failed: sent, and not answered within `answerMs` of the end of their part. */
  unanswered: number;
  /** Not sent, as all connections were taken: a few, where the machine has other things to do. */
  dropped: number;
  seconds: number;
  /** Largest of its parts, in milliseconds. */
  p99: number;
  /** Distinct bodies of good answers, and how often each came. */
  answers: Map<string, number>;
}

export type SteadyJob = Pick<OpenLoadJob, 'port' | 'path' | 'body' | 'connections' | 'perSecond'>;

/** Milliseconds: of a part, and how long its last requests may wait for their answers. */
export interface Parts {
  partMs: number;
  answerMs: number;
}

/** Longer than a busy machine holds up a request, and as long as clients commonly wait for an answer. */
const PARTS: Parts = { partMs: 20_000, answerMs: 30_000 };
const STREAMS = 2;
/** Of what was scheduled: below, there was load all the time, but for a moment in which the machine stood still. */
const MOST_DROPPED = 0.05;

/**
 * Open-loop load for as long as something takes. Each stream drives its share of the rate in parts, one after another; they are out of step, so that there
 * is load while one of them begins a part, or waits for the last answers of one. @param during what it goes on for, and a part longer
 */
export async function loadDuring(
  job: SteadyJob,
  during: () => Promise<unknown>,
  { partMs, answerMs }: Parts = PARTS,
): Promise<SteadyResult> {
  const begun = performance.now();
  let over = false;
  const stream = async (number: number): Promise<OpenLoadResult[]> => {
    const results: OpenLoadResult[] = [];
    const share = { ...job, perSecond: job.perSecond / STREAMS, connections: Math.ceil(job.connections / STREAMS) };
    for (let part = 0; !over || part < 2; part += 1) {
      const durationMs = part === 0 ? (partMs * (number + 1)) / STREAMS : partMs;
      results.push(await openLoad({ ...share, warmUpMs: 0, durationMs, lastMs: answerMs, each: true }));
    }
    return results;
  };
  const streams = Promise.all(Array.from({ length: STREAMS }, (_, number) => stream(number)));
  try {
    await Promise.race([during(), streams]);
  } finally {
    over = true;
  }
  const parts = (await streams).flat();
  const sum = (of: (part: OpenLoadResult) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const answers = new Map<string, number>();
  for (const { body, count } of parts.flatMap((part) => part.answers))
    answers.set(body, (answers.get(body) ?? 0) + count);
  const failed = sum((part) => part.failed);
  return {
    scheduled: sum(({ scheduled }) => scheduled),
    good: sum(({ good }) => good),
    refused: sum(({ refused }) => refused),
    failed,
    // There is a sample of whatever had an end.
    unanswered:
      failed - sum(({ samples }) => samples.filter(([, , status]) => status !== 200 && status !== 503).length),
    dropped: sum(({ dropped }) => dropped),
    seconds: (performance.now() - begun) / 1_000,
    p99: Math.max(...parts.map(({ p99 }) => p99)),
    answers,
  };
}

/** Sentences on what clients would have noticed, or on a load that shows nothing. */
export function disturbances({ scheduled, good, refused, failed, unanswered, dropped }: SteadyResult): string[] {
  const lost = scheduled - good - refused - failed - dropped;
  return [
    ...(scheduled === 0 ? ['nothing was asked'] : []),
    ...(failed > 0 ? [`${failed} requests failed, ${unanswered} of them for want of an answer`] : []),
    ...(refused > 0 ? [`${refused} requests were refused`] : []),
    ...(dropped > scheduled * MOST_DROPPED ? [`${dropped} of ${scheduled} requests were not sent`] : []),
    ...(lost !== 0 ? [`${lost} requests are accounted for nowhere`] : []),
  ];
}
