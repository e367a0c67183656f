import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { createLog, type Log } from '../../platform/log.ts';
import { readSettings } from '../../platform/settings.ts';
import { type GateConfig, gateSettings, type TrainingConfig, trainingSettings } from '../../trainer/config.ts';
import { GATE_DEFAULTS, type GateRules } from '../../trainer/gate/judge.ts';
import { codeName, codeOf } from '../../trainer/plan/code.ts';
import type { CodeOf } from '../../trainer/plan/task.ts';
import type { TaskQueue } from '../../trainer/queue/task-queue.ts';
import type { Trainable, TrainingHistory } from '../../trainer/run/trainable.ts';
import type { Bucket } from '../bucket.ts';
import type { Context } from '../command.ts';

/** What the parts of `kedge train` stand on. */
export interface Setup extends Bucket {
  context: Context;
  config: TrainingConfig & GateConfig;
  /** URL of the module that says what is trained. */
  module: string;
  trainable: Trainable;
  code: CodeOf;
  rules: GateRules;
  log: Log;
  fits: number;
  /** Opened by the first that asks. */
  history(): Promise<TrainingHistory>;
  queue(): Promise<TaskQueue>;
  close(): Promise<void>;
}

const BUILT_IN = import.meta.url.endsWith('.ts')
  ? '../../examples/scooter-demand/training.ts'
  : './examples/scooter-demand/training.js';

export async function setUp(context: Context, bucket: Bucket): Promise<Setup> {
  const config = readSettings({ ...trainingSettings, ...gateSettings }, context.env);
  const module = config.trainer ? pathToFileURL(resolve(config.trainer)).href : new URL(BUILT_IN, import.meta.url).href;
  const trainable = await loadTrainable(module);
  const code = codeOf(trainable.estimator);
  const { margin, confidence, maxRunMs, maxBytes } = config;
  // On a terminal the bar tells enough.
  const log = createLog('train', context.err.isTTY ? 'error' : 'info');
  let opened: Promise<TrainingHistory> | undefined;
  let queue: Promise<TaskQueue> | undefined;
  return {
    ...bucket,
    context,
    config,
    module,
    trainable,
    code,
    rules: { ...GATE_DEFAULTS, margin, confidence, maxRunMs, maxBytes },
    log,
    fits: config.fits ?? (config.redisUrl ? 1 : availableParallelism()),
    history() {
      opened ??= trainable.open(context.env);
      return opened;
    },
    queue() {
      queue ??= openQueue(config, code, log);
      return queue;
    },
    async close() {
      // What could not be opened has said so where it was asked for.
      await queue?.then((open) => open.close()).catch(() => undefined);
      await opened?.then((open) => open.close()).catch(() => undefined);
    },
  };
}

async function openQueue(config: TrainingConfig, code: CodeOf, log: Log): Promise<TaskQueue> {
  const { redisUrl, queue, leaseMs, attempts } = config;
  if (redisUrl === undefined) {
    const { MemoryQueue } = await import('../../trainer/queue/memory-queue.ts');
    return new MemoryQueue(systemClock, { leaseMs, attempts });
  }
  const { RedisQueue } = await import('../../trainer/queue/redis-queue.ts');
  return RedisQueue.open(redisUrl, { name: `${queue}-${codeName(code)}`, leaseMs, attempts, log });
}

async function loadTrainable(module: string): Promise<Trainable> {
  const path = fileURLToPath(module);
  let loaded: { default?: Trainable };
  try {
    loaded = await import(module);
  } catch (error) {
    throw new KedgeError('config-invalid', `The trainer ${path} cannot be loaded: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const trainable = loaded.default;
  if (trainable?.estimator && typeof trainable.open === 'function' && typeof trainable.fit === 'function') {
    return trainable;
  }
  throw new KedgeError(
    'config-invalid',
    `The default export of ${path} is no trainer: it lacks estimator, open or fit.`,
  );
}
