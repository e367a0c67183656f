import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Engine } from './engine.ts';

export interface HostEngineOptions {
  /** Resident memory of one host process, in bytes; above it the process is ended. */
  memoryLimitBytes: number;
  /** Limit of one load, start of the process included, in milliseconds. */
  loadTimeoutMs: number;
  /** Limit of one run in milliseconds; at it the process is ended, because a run cannot be interrupted. */
  runTimeoutMs: number;
  clock: Clock;
  /** In [0, 1), for the jitter of restarts. */
  random: () => number;
  log: Log;
}

/** An engine of child processes, one for each loaded model. */
export function createHostEngine(_options: HostEngineOptions): Engine {
  throw new Error('to follow');
}
