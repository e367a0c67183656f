import type { LoadOptions } from './load-options.ts';

/** The program of a thread that sends: TypeScript beside this file in a clone, a bundle of its own beside the main one in the package. */
export const LOAD_ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './load-main.ts' : './load-main.js',
  import.meta.url,
);

/** What a thread is given. */
export interface LoadOrder {
  options: Required<Omit<LoadOptions, 'deadlineMs' | 'requestsPerConnection' | 'workers'>> &
    Pick<LoadOptions, 'requestsPerConnection'>;
  /** It sends the arrivals whose number leaves this remainder by the number of threads. */
  index: number;
  workers: number;
}

/** What a thread is told: when the schedule begins, on the clock of {@link process.hrtime}, in milliseconds; or to send no more. */
export type LoadCommand = { kind: 'begin'; at: number } | { kind: 'stop' };

/** What a thread tells: that it is there, and what happened since it told last. */
export type LoadReport =
  | { kind: 'ready' }
  | {
      kind: 'batch';
      /** See {@link ./settlements.ts}. */
      settled: Uint32Array<ArrayBuffer>;
      /** Versions that it saw for the first time, in the order of their numbers. */
      versions: readonly string[];
      /** Under way at the end of intervals that ended since. */
      inFlight: readonly number[];
      /** Under way now. */
      underWay: number;
      /** Nothing comes any more of intervals before this one. */
      openFrom: number;
      /** When the last right answer was in, on the clock of the threads; 0 before the first. */
      answeredAt: number;
      /** What was wrong with answers, in words: the first few. */
      problems: readonly string[];
    }
  | { kind: 'done' };
