import { type Clock, systemClock } from '../platform/clock.ts';
import { BATCH_LIMITS, type BatchLimits } from './batcher.ts';
import type { Engine } from './engine.ts';
import { engineOf } from './engine-of.ts';
import { openModel } from './open.ts';
import { FairTurns } from './turns.ts';
import { verifyFiles } from './verify.ts';

export interface InlineEngineOptions {
  clock?: Clock;
  /** How waiting requests are merged; each absent one by default. */
  batch?: Partial<BatchLimits>;
}

/** What runs may take in one turn of the loop, in milliseconds, before the others wait for the next. */
const SLICE_MS = 5;
/** Runs of one model in one turn of the loop, where they cannot be merged. */
const PARALLEL = 16;

/**
 * An engine on the event loop of this process: for models that are proved harmless and measured fast, because a load or a
 * run holds the loop and a crash takes the process with it.
 */
export function createInlineEngine({ clock = systemClock, batch = {} }: InlineEngineOptions = {}): Engine {
  const shared = new FairTurns({ sliceMs: SLICE_MS });
  const turns = (): FairTurns => shared;
  return engineOf('inline', {
    open: async (request) => {
      await verifyFiles(request);
      return { runner: await openModel(request), turns };
    },
    clock,
    limits: { ...BATCH_LIMITS, ...batch },
    parallel: PARALLEL,
  });
}
