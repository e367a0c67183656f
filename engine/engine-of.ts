import { KedgeError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { Batcher, type BatchLimits } from './batcher.ts';
import type { Engine, LoadedModel, LoadOptions, LoadRequest } from './engine.ts';
import { GuardedModel } from './model.ts';
import type { Runner } from './session.ts';
import { judgeMerging } from './trial.ts';
import type { FairTurns } from './turns.ts';

/** A version that was opened, and with whom it takes turns now. */
interface Opened {
  runner: Runner;
  turns: () => FairTurns;
}

export interface EngineParts {
  /** Loads a version, verified. */
  open(request: LoadRequest, options: LoadOptions): Promise<Opened>;
  clock: Clock;
  limits: BatchLimits;
  /** Runs of one model that may be under way at the same time where nothing is merged. */
  parallel: number;
}

/** An engine over whatever opens a version. */
export function engineOf(kind: Engine['kind'], { open, clock, limits, parallel }: EngineParts): Engine {
  const models = new Set<LoadedModel>();
  let closed = false;
  return {
    kind,
    load: async (request, options = {}) => {
      const { runner, turns } = await open(request, options);
      const merging = await judgeMerging(runner, request).catch(async (error: unknown) => {
        await runner.release();
        throw error;
      });
      if (closed) {
        await runner.release();
        throw new KedgeError('shutting-down', `${request.name} was not loaded, as the engine was closed meanwhile.`);
      }
      const { name, signature } = request;
      const batcher = new Batcher(runner, {
        ...{ name, signature, limits, turns, clock, parallel },
        merges: merging.merges,
        // It was put on the loop because its requests can be run in parts; whoever put another one there knows what it does.
        boundsPieces: kind === 'inline' && request.mergeRows === true,
      });
      const release = async (): Promise<void> => {
        models.delete(model);
        // Also for runs whose callers gave up waiting.
        await batcher.idle();
        await runner.release();
      };
      const guarded: Runner = {
        shapes: runner.shapes,
        get memoryBytes() {
          return runner.memoryBytes;
        },
        run: batcher.run.bind(batcher),
        release,
      };
      const model = new GuardedModel(request, guarded, clock, {
        merging: () => (batcher.forbidden === undefined ? merging : { merges: false, because: batcher.forbidden }),
        work: () => batcher.work,
      });
      models.add(model);
      return model;
    },
    close: async () => {
      closed = true;
      await Promise.all([...models].map((model) => model.release()));
    },
  };
}
