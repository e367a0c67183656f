import { openLoad } from '../../bench/lean-load/loads.ts';
import type { OpenLoadJob, OpenLoadResult } from '../../bench/lean-load/open-load.ts';

export interface SteadyResult {
  scheduled: number;
  good: number;
  refused: number;
  /** Any other status, or a connection that broke. */
  failed: number;
  /** Not answered yet when a part of the load ended: only where the machine has other things to do. */
  late: number;
  /** Not sent, as all connections were taken: likewise. */
  dropped: number;
  seconds: number;
  /** Largest of its parts, in milliseconds. */
  p99: number;
  /** Distinct bodies of good answers, and how often each came. */
  answers: Map<string, number>;
}

export type SteadyJob = Pick<OpenLoadJob, 'port' | 'path' | 'body' | 'connections' | 'perSecond'>;

const PART_MS = 20_000;
const STREAMS = 2;

/**
 * Open-loop load for as long as something takes. Each stream drives its share of the rate in parts, one after another; they are out of step, so that there
 * is load while one of them begins a part. @param during what it goes on for, and a part longer
 */
export async function loadDuring(job: SteadyJob, during: () => Promise<unknown>): Promise<SteadyResult> {
  const begun = performance.now();
  let over = false;
  const stream = async (number: number): Promise<OpenLoadResult[]> => {
    const results: OpenLoadResult[] = [];
    const share = { ...job, perSecond: job.perSecond / STREAMS, connections: Math.ceil(job.connections / STREAMS) };
    for (let part = 0; !over || part < 2; part += 1) {
      const durationMs = part === 0 ? (PART_MS * (number + 1)) / STREAMS : PART_MS;
      results.push(await openLoad({ ...share, warmUpMs: 0, durationMs, each: true }));
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
  const broken = sum(({ samples }) => samples.filter(([, , status]) => status !== 200 && status !== 503).length);
  return {
    scheduled: sum(({ scheduled }) => scheduled),
    good: sum(({ good }) => good),
    refused: sum(({ refused }) => refused),
    failed: broken,
    late: sum(({ failed }) => failed) - broken,
    dropped: sum(({ dropped }) => dropped),
    seconds: (performance.now() - begun) / 1_000,
    p99: Math.max(...parts.map(({ p99 }) => p99)),
    answers,
  };
}
