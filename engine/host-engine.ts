import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { BATCH_LIMITS, type BatchLimits } from './batcher.ts';
import type { Engine } from './engine.ts';
import { engineOf } from './engine-of.ts';
import { HostRunner } from './host-runner.ts';
import { FairTurns } from './turns.ts';

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
  /** How waiting requests are merged; each absent one by default. */
  batch?: Partial<BatchLimits>;
}

/** An engine of child processes, one for each loaded model. Nothing that a model does reaches this process. */
export function createHostEngine(options: HostEngineOptions): Engine {
  const { clock, batch = {} } = options;
  return engineOf('host', {
    open: async (request) => {
      const turns = new FairTurns({ sliceMs: 0 });
      return { runner: await HostRunner.open(request, options), turns: () => turns };
    },
    clock,
    limits: { ...BATCH_LIMITS, ...batch },
    parallel: 1,
  });
}
