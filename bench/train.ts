import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../platform/clock.ts';
import { openStore } from '../registry/open-store.ts';
import { startPostgres } from '../trainer/history/testing/postgres.ts';
import { startRun } from '../trainer/master.ts';
import { codeOf } from '../trainer/plan/code.ts';
import type { Run } from '../trainer/plan/task.ts';
import { MemoryQueue } from '../trainer/queue/memory-queue.ts';
import { hasRedis, startRedis } from '../trainer/queue/testing/redis.ts';
import type { Trainable } from '../trainer/run/trainable.ts';
import { readOptions } from './options.ts';
import { ensureNothing } from './train/ensure.ts';
import type { Order, Worked } from './train/order.ts';
import { buildKedge, bundleWorker, type Environment, run as runProgram } from './train/programs.ts';
import { conclude, type Figure, rounded } from './verdict.ts';

/**
 * A training of many zones: what two workers do to what one does, both over the same Postgres and Redis, in turns; what part of fitting the queue takes; and how
 * long `kedge train --ensure` takes where there is nothing to do. A worker is timed from its spawn to its end. Where Postgres or Redis is not
 * installed, "two workers" are two fits at once in one process, over a queue within it.
 *
 * 16 zones take some four minutes on two idle cores; 200, all that the figure is about, half an hour. What is done for a zone is the same, and
 * the end of a run, when one worker has nothing left to do, weighs more with few.
 *
 *   node bench/train.ts [--zones 16] [--days 730] [--rounds 3] [--models 200] [--json FILE]
 */
const { json, ...options } = readOptions({ zones: 16, days: 730, rounds: 3, models: 200 });

interface Round {
  workers: number;
  seconds: number;
  done: number;
  queueShare: number;
  sides: Worked[];
}

interface Stage {
  history: Environment;
  redisUrl: string | undefined;
  bundle: Awaited<ReturnType<typeof bundleWorker>>;
  home: string;
}

/** Every zone of the history, as a master would plan it. */
async function planAll({ bundle, history: where }: Stage): Promise<Run> {
  const { default: trainable } = (await import(pathToFileURL(bundle.module).href)) as { default: Trainable };
  const history = await trainable.open(where);
  const planned = (await history.models()).map((model) => ({ model, reason: 'asked' as const }));
  await history.close();
  const { run } = await startRun({
    queue: new MemoryQueue(systemClock),
    code: codeOf(trainable.estimator),
    mode: { kind: 'all' },
    force: false,
    planned,
    settings: trainable.settings ?? {},
    clock: systemClock,
    random: Math.random,
  });
  return run;
}

/** A run of its own in a bucket of its own. */
async function train({ history, redisUrl, bundle, home }: Stage, run: Run, workers: number): Promise<Round> {
  const bucket = join(home, `bucket-${run.id}`);
  mkdirSync(bucket);
  const module = pathToFileURL(bundle.module).href;
  const fits = redisUrl === undefined ? workers : 1;
  const order: Order = { module, history, bucket: pathToFileURL(bucket).href, redisUrl, run, fits };
  const file = join(home, 'order.json');
  writeFileSync(file, JSON.stringify(order));
  const processes = redisUrl === undefined ? 1 : workers;
  const began = performance.now();
  const ended = await Promise.all(Array.from({ length: processes }, () => runProgram([bundle.worker, file], {})));
  const seconds = (performance.now() - began) / 1000;
  if (ended.some(({ code }) => code !== 0)) throw new Error('a worker failed');
  const sides = ended.map(({ out }) => JSON.parse(out) as Worked);
  const sum = (what: keyof Worked): number => sides.reduce((total, side) => total + side[what], 0);
  if (sum('done') !== run.tasks.length) throw new Error(`${sum('done')} of ${run.tasks.length} tasks were done`);
  return { workers, seconds, done: sum('done'), queueShare: sum('queueMs') / sum('fitMs'), sides };
}

/** Of a task: where its time goes. */
function told({ workers, seconds, done, queueShare, sides }: Round): object {
  const per = (what: keyof Worked): number => rounded(sides.reduce((total, side) => total + side[what], 0) / done);
  return {
    workers,
    seconds: rounded(seconds),
    'tasks a minute': rounded((60 * done) / seconds),
    'fit ms': per('fitMs'),
    'read ms': per('extractMs'),
    'queue ms': per('queueMs'),
    'queue %': rounded(100 * queueShare),
    'CPU of fit ms': per('fitCpuMs'),
    'CPU of worker ms': per('workerCpuMs'),
    'peak MiB': rounded(Math.max(...sides.map(({ peakBytes }) => peakBytes)) / 2 ** 20),
  };
}

const kedge = buildKedge();
const bundle = await bundleWorker();
const home = mkdtempSync(join(tmpdir(), 'kedge-bench-train-'));
const postgres = await startPostgres();
const redis = hasRedis && postgres ? await startRedis() : undefined;
if (!redis) {
  process.stdout.write('Redis or Postgres is not installed: two workers are two fits at once in one process here.\n');
}
try {
  const history: Environment = postgres ? { DATABASE_URL: postgres.url } : { KEDGE_HISTORY: join(home, 'history') };
  const fill = ['history', 'fill', '--zones', String(options.zones), '--days', String(options.days)];
  const { code } = await runProgram([kedge, ...fill, '--until', '2026-11-20'], history);
  if (code !== 0) throw new Error('the history could not be filled');
  const stage: Stage = { history, redisUrl: redis?.url, bundle, home };
  const planned = await planAll(stage);
  const rounds: { one: Round; two: Round }[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const one = await train(stage, { ...planned, id: `${planned.id}-${round}-1` }, 1);
    rounds.push({ one, two: await train(stage, { ...planned, id: `${planned.id}-${round}-2` }, 2) });
  }
  console.table(rounds.flatMap(({ one, two }) => [told(one), told(two)]));
  const first = { ...planned, id: `${planned.id}-1-1` };
  const handedIn = openStore(pathToFileURL(join(home, `bucket-${first.id}`)).href);
  const ensured = await ensureNothing(kedge, handedIn, first, { models: options.models, rounds: options.rounds });
  const figures: Figure[] = [
    {
      what: 'throughput with two workers, to one',
      wanted: { atLeast: 1.7 },
      measured: rounds.map(({ one, two }) => one.seconds / two.seconds),
    },
    {
      what: `queue (${redis ? 'Redis' : 'within the process'}), to fitting`,
      wanted: { atMost: 0.05 },
      measured: rounds.flatMap(({ one, two }) => [one.queueShare, two.queueShare]),
    },
    {
      what: `--ensure with nothing to do, ${options.models} models: seconds`,
      wanted: { atMost: 1 },
      measured: ensured.seconds,
    },
    { what: 'its connections to database and queue', wanted: { atMost: 0 }, measured: [ensured.connections] },
  ];
  conclude(figures, json, { rounds });
} finally {
  await redis?.stop();
  await postgres?.stop();
  for (const folder of [home, bundle.folder]) rmSync(folder, { recursive: true, force: true });
}
