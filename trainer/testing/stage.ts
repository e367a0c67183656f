import { afterEach } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { listModels } from '../../registry/list-models.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { openStore } from '../../registry/open-store.ts';
import { type FinishOptions, finishRun } from '../finish.ts';
import { GATE_DEFAULTS, type GateRules } from '../gate/judge.ts';
import { plan, type Started, startRun } from '../master.ts';
import { codeOf } from '../plan/code.ts';
import type { Mode } from '../plan/plan.ts';
import type { CodeOf, Run } from '../plan/task.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import trainable, { estimator, LINE_MODULE } from '../run/testing/line.ts';
import type { RunReport } from '../run-report.ts';
import { runWorker, type WorkerOptions, type WorkerOutcome } from '../worker.ts';

/** Everything that a training is made of, over a bucket in a folder and the small trainer `line`. */
export interface TrainingStage {
  store: ObjectStore;
  code: CodeOf;
  start(queue: TaskQueue, mode: Mode, options?: StartOptions): Promise<Started>;
  work(queue: TaskQueue, options?: Partial<WorkerOptions>): Promise<WorkerOutcome>;
  finish(queue: TaskQueue, run: Run, options?: Partial<FinishOptions>): Promise<RunReport>;
  /** Published versions by model: `{ 'line-a': [2, 1] }`. */
  versions(): Promise<Record<string, number[]>>;
}

interface StartOptions {
  models?: string[];
  settings?: Record<string, unknown>;
  force?: boolean;
}

/** Longer than a test takes on a busy machine: a lease runs out where a test moves the clock of the queue. */
export const LEASE_MS = 120_000;

export const RULES: GateRules = { ...GATE_DEFAULTS, maxRunMs: 60_000 };

export function trainingStage(folder: () => string): () => TrainingStage {
  let opened: ObjectStore[] = [];
  afterEach(() => {
    for (const store of opened) store.close();
    opened = [];
  });
  return () => {
    const store = openStore(`file://${folder()}`);
    opened.push(store);
    const code = codeOf(estimator);
    const common = { store, clock: systemClock, random: Math.random, log: silentLog, leaseMs: LEASE_MS, pollMs: 50 };
    return {
      store,
      code,
      async start(queue, mode, { models = ['line-a', 'line-b'], settings = {}, force = false } = {}) {
        const history = () => trainable.open({ LINE_MODELS: models.join() });
        const planned = await plan({ ...common, code, mode, history });
        return startRun({ ...common, queue, code, mode, force, planned, settings });
      },
      async work(queue, options = {}) {
        const history = await trainable.open({});
        return runWorker({
          ...common,
          queue,
          module: LINE_MODULE,
          extract: history.extract,
          fits: 2,
          fitMs: 60_000,
          patienceMs: 5_000,
          ...options,
        });
      },
      finish: (queue, run, options = {}) => finishRun(run, { ...common, queue, rules: RULES, ...options }),
      async versions() {
        const models = await listModels(store);
        return Object.fromEntries(
          models.map(({ model, versions }) => [
            model,
            versions.filter(({ kind }) => kind === 'published').map(({ version }) => version),
          ]),
        );
      },
    };
  };
}
