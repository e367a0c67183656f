import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Engine } from './engine.ts';
import { HostRunner } from './host-runner.ts';
import { engineOf } from './model.ts';

export interface HostEngineOptions {
  /** Resident memory of one host process, in bytes; above it the process is ended. */
  memoryLimitBytes: number;
  /** Limit of one load, in milliseconds; the start of the process comes before it and has a limit of its own. */
  loadTimeoutMs: number;
  /** Limit of one run in milliseconds; at it the process is ended, because a run cannot be interrupted. */
  runTimeoutMs: number;
  clock: Clock;
  /** In [0, 1), for the jitter of restarts. */
  random: () => number;
  log: Log;
}

/** An engine of child processes, one for each loaded model. Nothing that a model does reaches this process. */
export function createHostEngine(options: HostEngineOptions): Engine {
  return engineOf('host', { open: (request) => HostRunner.open(request, options), clock: options.clock });
}
