import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { BATCH_LIMITS, type BatchLimits } from './batcher.ts';
import type { Engine } from './engine.ts';
import { engineOf } from './engine-of.ts';
import { HostPool } from './host-pool.ts';
import { HostRunner } from './host-runner.ts';

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
  /** Processes that light models share, at most: as many as there are CPUs. Default 1. */
  sharedHosts?: number;
  /** How waiting requests are merged; each absent one by default. */
  batch?: Partial<BatchLimits>;
}

/**
 * An engine of child processes: light models share a few, each other one has its own. Nothing that a model does reaches this
 * process.
 */
export function createHostEngine(options: HostEngineOptions): Engine {
  const { clock, log, memoryLimitBytes, sharedHosts = 1, batch = {} } = options;
  const pool = new HostPool({ memoryLimitBytes, sharedHosts, clock, log });
  return engineOf('host', {
    open: async (request, told) => {
      const runner = await HostRunner.open(request, { ...options, ...told, pool });
      return { runner, turns: () => runner.turns };
    },
    clock,
    limits: { ...BATCH_LIMITS, ...batch },
    parallel: 1,
  });
}
