import { readFileSync } from 'node:fs';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { openStore } from '../../registry/open-store.ts';
import { MemoryQueue } from '../../trainer/queue/memory-queue.ts';
import { RedisQueue } from '../../trainer/queue/redis-queue.ts';
import { QUEUE_DEFAULTS, type TaskQueue } from '../../trainer/queue/task-queue.ts';
import type { FitCost } from '../../trainer/run/fit-entry.ts';
import type { Trainable } from '../../trainer/run/trainable.ts';
import { runWorker } from '../../trainer/worker.ts';
import type { Order, Worked } from './order.ts';

/**
 * A worker as `kedge train worker` has it, with a watch on the queue: works a run off, and writes what it took as one line of JSON.
 *
 *   node worker.js ORDER.json
 */
const order = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Order;
const took = { queueMs: 0, extractMs: 0, fitMs: 0, fitCpuMs: 0, peakBytes: 0 };

async function timed<T>(what: 'queueMs' | 'extractMs', call: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await call();
  } finally {
    took[what] += performance.now() - began;
  }
}

/** What goes on beside a fit; nothing waits for it. */
const BESIDE: ReadonlySet<keyof TaskQueue> = new Set(['progress', 'renew']);

/** The same queue; the time within calls that the worker waits for is added up. */
function watched(queue: TaskQueue): TaskQueue {
  return new Proxy(queue, {
    get(target, name: keyof TaskQueue) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      if (BESIDE.has(name)) return value.bind(target);
      return (...words: unknown[]) => {
        if (name === 'ack') note((words[1] as unknown as { cost: FitCost }).cost);
        return timed('queueMs', () => (value as (...all: unknown[]) => Promise<unknown>).apply(target, words));
      };
    },
  });
}

function note({ ms, cpuMs, peakBytes }: FitCost): void {
  took.fitMs += ms;
  took.fitCpuMs += cpuMs;
  took.peakBytes = Math.max(took.peakBytes, peakBytes);
}

async function openQueue(): Promise<TaskQueue> {
  if (order.redisUrl === undefined) return new MemoryQueue(systemClock);
  return RedisQueue.open(order.redisUrl, { name: order.run.id });
}

const { default: trainable } = (await import(order.module)) as { default: Trainable };
const queue = watched(await timed('queueMs', openQueue));
const store = openStore(order.bucket);
const history = await trainable.open(order.history);
await queue.openRun(order.run);
const outcome = await runWorker({
  queue,
  store,
  module: order.module,
  extract: (task, folder, signal) => timed('extractMs', () => history.extract(task, folder, signal)),
  clock: systemClock,
  random: Math.random,
  log: silentLog,
  fits: order.fits,
  fitMs: 600_000,
  leaseMs: QUEUE_DEFAULTS.leaseMs,
  patienceMs: 10_000,
});
if (outcome.ended !== 'drained' || outcome.failures > 0) throw new Error(JSON.stringify(outcome));
await queue.close();
await history.close();
store.close();
const { user, system } = process.cpuUsage();
const worked: Worked = { ...took, done: outcome.done, workerCpuMs: (user + system) / 1000 };
process.stdout.write(`${JSON.stringify(worked)}\n`);
