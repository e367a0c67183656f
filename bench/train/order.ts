import type { Run } from '../../trainer/plan/task.ts';

/** What a worker is told, as a file of JSON. */
export interface Order {
  /** URL of the module that says what is trained. */
  module: string;
  /** Settings that say where the history is. */
  history: Readonly<Record<string, string>>;
  /** `file:///…` */
  bucket: string;
  /** Absent: the queue is within the process. */
  redisUrl?: string | undefined;
  /** Each worker opens it: the first begins it, the others join. */
  run: Run;
  fits: number;
}

/** What a worker came to. Milliseconds are of time that passed, those of the processor apart. */
export interface Worked {
  done: number;
  /** Within calls of the queue that the worker waits for. */
  queueMs: number;
  /** Reading the history into tables. */
  extractMs: number;
  /** Fits, from the start of their processes to their answers. */
  fitMs: number;
  /** Of the processor: of the worker itself, and of its fits. */
  workerCpuMs: number;
  fitCpuMs: number;
  /** Of the largest fit. */
  peakBytes: number;
}
