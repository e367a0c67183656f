import { type Clock, systemClock } from '../platform/clock.ts';
import type { Engine, LoadRequest } from './engine.ts';
import { engineOf } from './model.ts';
import { openModel } from './open.ts';
import type { Runner } from './session.ts';
import { verifyFiles } from './verify.ts';

export interface InlineEngineOptions {
  clock?: Clock;
}

/**
 * An engine on the event loop of this process: for models that are proved harmless and measured fast, because a load or a
 * run holds the loop and a crash takes the process with it.
 */
export function createInlineEngine({ clock = systemClock }: InlineEngineOptions = {}): Engine {
  const open = async (request: LoadRequest): Promise<Runner> => {
    await verifyFiles(request);
    return openModel(request);
  };
  return engineOf('inline', { open, clock });
}
