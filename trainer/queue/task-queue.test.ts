import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { MemoryQueue } from './memory-queue.ts';
import { RedisQueue } from './redis-queue.ts';
import { isDrained, type Lease, type QueueOptions, type TaskQueue } from './task-queue.ts';
import { hasRedis, startRedis, type TestRedis, withRedis } from './testing/redis.ts';
import { runOf } from './testing/runs.ts';

const OPTIONS: QueueOptions = { leaseMs: 600, attempts: 3, backoffMs: 100 };

interface Stage {
  /** Another view of the same queue, as another process has it. */
  open(): Promise<TaskQueue>;
  /** Lets this much time pass. */
  pass(ms: number): Promise<void>;
}

const FAILURE = { code: 'fit-failed', message: 'No.', final: false };
const byModel = (a: Lease | undefined, b: Lease | undefined): number => (a!.model < b!.model ? -1 : 1);

/** What a queue promises, whatever it is made of. */
function suite(stage: () => Stage): void {
  const run = runOf('r1', ['a', 'b', 'c']);
  const open = (): Promise<TaskQueue> => stage().open();
  const finished = async (queue: TaskQueue, models = run): Promise<void> => {
    for (;;) {
      const lease = await queue.lease(models);
      if (!lease) return;
      await queue.ack(lease, {});
    }
  };

  it('gives each task to one worker, with what was planned', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.openRun(run)).toEqual({ run, joined: false });
    const leases = [await one.lease(run), await other.lease(run), await one.lease(run)].sort(byModel);
    expect(leases.map((lease) => lease?.task)).toEqual(run.tasks);
    expect(leases.map((lease) => lease?.attempt)).toEqual([1, 1, 1]);
    expect(await other.lease(run)).toBeUndefined();
    expect(await other.counts(run)).toMatchObject({ total: 3, active: 3, waiting: 0, done: 0, missing: 0 });
  });

  it('has one run, whoever opens another', async () => {
    const [one, other] = [await open(), await open()];
    const second = runOf('r2', ['x']);
    const answers = await Promise.all([one.openRun(run), other.openRun(second)]);
    expect(answers.map(({ joined }) => joined).sort()).toEqual([false, true]);
    expect(answers[0]!.run).toEqual(answers[1]!.run);
    expect(await one.currentRun()).toEqual(await other.currentRun());
  });

  it('opens a run twice as if once', async () => {
    const queue = await open();
    await queue.openRun(run);
    await queue.ack((await queue.lease(run))!, { n: 1 });
    expect(await queue.openRun(run)).toEqual({ run, joined: false });
    await queue.repair(run);
    expect(await queue.counts(run)).toMatchObject({ total: 3, waiting: 2, done: 1 });
  });

  it('keeps a lease that is renewed, and gives one that ran out to another', async () => {
    const [one, other] = [await open(), await open()];
    const single = runOf('r1', ['a']);
    await one.openRun(single);
    const lease = (await one.lease(single))!;
    for (let i = 0; i < 4; i++) {
      await stage().pass(OPTIONS.leaseMs / 2);
      expect(await one.renew(lease)).toBe(true);
      expect(await other.lease(single)).toBeUndefined();
    }
    let next: Lease | undefined;
    for (let i = 0; i < 20 && !next; i++) {
      await stage().pass(OPTIONS.leaseMs / 2);
      next = await other.lease(single);
    }
    expect(next?.model).toBe('a');
    // What the first one does now changes nothing.
    expect(await one.renew(lease)).toBe(false);
    expect(await one.ack(lease, { late: true })).toBe(false);
    expect(await one.fail(lease, FAILURE)).toBe('lost');
    expect(await one.release(lease)).toBe(false);
    expect(await other.ack(next!, { late: false })).toBe(true);
    expect(await other.status(single)).toMatchObject([{ model: 'a', state: 'done', result: { late: false } }]);
  });

  it('sets a task aside whose lease ran out too often, and says why', async () => {
    const queue = await open();
    const single = runOf('r1', ['a']);
    await queue.openRun(single);
    let leases = 0;
    for (let i = 0; i < 60 && !isDrained(await queue.counts(single)); i++) {
      if (await queue.lease(single)) leases += 1;
      await stage().pass(OPTIONS.leaseMs / 2);
    }
    expect(leases).toBe(OPTIONS.attempts);
    const [status] = await queue.status(single);
    expect(status).toMatchObject({ state: 'failed', failure: { code: 'worker-lost' } });
    expect(status!.failure!.message).toMatch(/The worker was gone \d times/);
  });

  it('tries again after a wait, then sets aside, and is not drained meanwhile', async () => {
    const queue = await open();
    const single = runOf('r1', ['a']);
    await queue.openRun(single);
    for (let attempt = 1; attempt < OPTIONS.attempts; attempt++) {
      const lease = (await queue.lease(single))!;
      expect(lease.attempt).toBe(attempt);
      expect(await queue.fail(lease, FAILURE)).toBe('again');
      expect(await queue.lease(single)).toBeUndefined();
      const counts = await queue.counts(single);
      expect(counts).toMatchObject({ delayed: 1, waiting: 0, active: 0, failed: 0 });
      expect(isDrained(counts)).toBe(false);
      expect(await queue.leaseFinish(single)).toBeUndefined();
      await stage().pass(OPTIONS.backoffMs * 2 ** (attempt - 1) + 50);
    }
    expect(await queue.fail((await queue.lease(single))!, FAILURE)).toBe('set aside');
    expect(isDrained(await queue.counts(single))).toBe(true);
    expect(await queue.status(single)).toEqual([
      { model: 'a', state: 'failed', attempts: 3, progress: 0, failure: { code: 'fit-failed', message: 'No.' } },
    ]);
  });

  it('does not try again what cannot help', async () => {
    const queue = await open();
    const single = runOf('r1', ['a']);
    await queue.openRun(single);
    expect(await queue.fail((await queue.lease(single))!, { ...FAILURE, final: true })).toBe('set aside');
    expect(await queue.lease(single)).toBeUndefined();
  });

  it('takes a task back without counting a try', async () => {
    const [one, other] = [await open(), await open()];
    const single = runOf('r1', ['a']);
    await one.openRun(single);
    expect(await one.release((await one.lease(single))!)).toBe(true);
    const lease = await other.lease(single);
    expect(lease).toMatchObject({ model: 'a', attempt: 1 });
    expect(await other.ack(lease!, {})).toBe(true);
    expect(await one.status(single)).toMatchObject([{ state: 'done', attempts: 0 }]);
  });

  it('counts the tries that failed before one that went well', async () => {
    const queue = await open();
    const single = runOf('r1', ['a']);
    await queue.openRun(single);
    await queue.fail((await queue.lease(single))!, FAILURE);
    await stage().pass(OPTIONS.backoffMs + 50);
    const lease = (await queue.lease(single))!;
    expect(lease.attempt).toBe(2);
    await queue.ack(lease, {});
    expect(await queue.status(single)).toMatchObject([{ state: 'done', attempts: 1 }]);
  });

  it('tells how far each task is', async () => {
    const [one, other] = [await open(), await open()];
    await one.openRun(run);
    const lease = (await one.lease(run))!;
    await one.progress(lease, 0.5);
    const status = await other.status(run);
    expect(status.map(({ model }) => model)).toEqual(['a', 'b', 'c']);
    expect(status.find(({ model }) => model === lease.model)).toMatchObject({ state: 'active', progress: 0.5 });
  });

  it('lets one finish, when nothing is left, and another when that one is gone', async () => {
    const [one, other] = [await open(), await open()];
    await one.openRun(run);
    expect(await one.leaseFinish(run)).toBeUndefined();
    const last = (await one.lease(run))!;
    await finished(other);
    // Only what one worker still has is left.
    expect(isDrained(await other.counts(run))).toBe(false);
    expect(await other.leaseFinish(run)).toBeUndefined();
    expect(await one.fail(last, { ...FAILURE, final: true })).toBe('set aside');
    const leases = await Promise.all([one.leaseFinish(run), other.leaseFinish(run)]);
    expect(leases.filter(Boolean)).toHaveLength(1);
    let next: Lease | undefined;
    for (let i = 0; i < 20 && !next; i++) {
      await stage().pass(OPTIONS.leaseMs / 2);
      next = await other.leaseFinish(run);
    }
    expect(await one.closeRun(leases.find(Boolean)!)).toBe(false);
    expect(await other.closeRun(next!)).toBe(true);
    expect(await one.currentRun()).toBeUndefined();
  });

  it('forgets a closed run, and opens the next under the same models', async () => {
    const queue = await open();
    await queue.openRun(run);
    await finished(queue);
    expect(await queue.closeRun((await queue.leaseFinish(run))!)).toBe(true);
    const second = runOf('r2', ['a', 'd']);
    expect(await queue.openRun(second)).toEqual({ run: second, joined: false });
    expect(await queue.counts(second)).toMatchObject({ total: 2, waiting: 2, done: 0 });
    expect(await queue.lease(run)).toBeUndefined();
  });
}

describe('the queue within a process', () => {
  let now = 0;
  let queue: MemoryQueue;
  const pass = async (ms: number): Promise<void> => {
    now += ms;
  };
  suite(() => ({ open: async () => queue, pass }));
  // Every view is the same object: there is one process.
  beforeEachNew(() => {
    queue = new MemoryQueue({ now: () => now }, OPTIONS);
  });
});

function beforeEachNew(make: () => void): void {
  make();
  afterEach(make);
}

describe.skipIf(!hasRedis)(withRedis('the queue on Redis'), () => {
  let redis: TestRedis;
  let count = 0;
  let opened: TaskQueue[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  afterEach(async () => {
    for (const queue of opened) await queue.close();
    opened = [];
    count += 1;
  });
  const open = async (): Promise<TaskQueue> => {
    const queue = await RedisQueue.open(redis.url, { name: `t${count}`, ...OPTIONS });
    opened.push(queue);
    return queue;
  };
  suite(() => ({ open, pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }));

  it('puts back what is missing of an open run', async () => {
    const queue = await open();
    const run = runOf('r1', ['a', 'b', 'c']);
    await queue.openRun(run);
    await queue.ack((await queue.lease(run))!, {});
    const keys = (await redis.command('KEYS', `{kedge}:train-t${count}-r1:*`)) as string[];
    await redis.command('DEL', ...keys);
    expect(await queue.counts(run)).toMatchObject({ missing: 3 });
    await queue.repair(run);
    expect(await queue.counts(run)).toMatchObject({ missing: 0, waiting: 3 });
  });

  it('goes on with a run whose closing broke off', async () => {
    const queue = await open();
    const run = runOf('r1', ['a']);
    await queue.openRun(run);
    await redis.command(
      'SET',
      `{kedge}:train:t${count}`,
      JSON.stringify({ state: 'closing', run: { ...run, tasks: [] } }),
    );
    expect(await queue.currentRun()).toBeUndefined();
    const next = runOf('r2', ['b']);
    expect(await queue.openRun(next)).toEqual({ run: next, joined: false });
    expect(await redis.command('KEYS', `{kedge}:train-t${count}-r1*`)).toEqual([]);
  });

  it('leaves nothing behind in Redis', async () => {
    const queue = await open();
    const run = runOf('r1', ['a', 'b']);
    await queue.openRun(run);
    await queue.fail((await queue.lease(run))!, { ...FAILURE, final: true });
    await queue.ack((await queue.lease(run))!, {});
    await queue.closeRun((await queue.leaseFinish(run))!);
    expect(await redis.command('KEYS', `*t${count}*`)).toEqual([]);
  });

  it('tells whoever scales workers which tasks are left', async () => {
    const left = async (): Promise<string[]> => {
      const members = (await redis.command('SMEMBERS', '{kedge}:train:left')) as string[];
      return members.filter((member) => member.startsWith(`train-t${count}-`)).map((member) => member.split('/')[1]!);
    };
    const queue = await open();
    const run = runOf('r1', ['a', 'b', 'c']);
    await queue.openRun(run);
    expect((await left()).sort()).toEqual(['a', 'b', 'c']);
    const done = (await queue.lease(run))!;
    expect(await left()).toHaveLength(3);
    await queue.ack(done, {});
    expect(await left()).not.toContain(done.model);
    const again = (await queue.lease(run))!;
    await queue.fail(again, FAILURE);
    const back = (await queue.lease(run))!;
    await queue.release(back);
    expect((await left()).sort()).toEqual([again.model, back.model].sort());
    // Redis has lost the tasks: those that are put back are left to do.
    const keys = (await redis.command('KEYS', `{kedge}:train-t${count}-r1:*`)) as string[];
    await redis.command('DEL', ...keys);
    await queue.repair(run);
    expect((await left()).sort()).toEqual(['a', 'b', 'c']);
    for (let lease = await queue.lease(run); lease; lease = await queue.lease(run)) {
      await queue.fail(lease, { ...FAILURE, final: true });
    }
    expect(await left()).toEqual([]);
  });

  it('drops what a worker that died left behind, when the run is finished', async () => {
    const queue = await open();
    const run = runOf('r1', ['a']);
    await queue.openRun(run);
    await queue.ack((await queue.lease(run))!, {});
    await redis.command('SADD', '{kedge}:train:left', `train-t${count}-r1/a`, `train-t${count}-r10/a`);
    await queue.leaseFinish(run);
    const members = (await redis.command('SMEMBERS', '{kedge}:train:left')) as string[];
    expect(members).toContain(`train-t${count}-r10/a`);
    expect(members).not.toContain(`train-t${count}-r1/a`);
  });

  it('leaves no timer behind that would keep a program from ending', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const clock: Clock = {
      now: systemClock.now,
      sleep(ms, signal) {
        signals.push(signal);
        return systemClock.sleep(ms, signal);
      },
    };
    const queue = await RedisQueue.open(redis.url, { name: `t${count}`, ...OPTIONS, clock });
    await queue.currentRun();
    const before = signals.length;
    await queue.close();
    expect(signals.length).toBeGreaterThan(before);
    expect(signals.filter((signal) => !signal?.aborted)).toEqual([]);
  });

  it('refuses a Redis that may throw tasks away', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '100mb');
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(open()).rejects.toMatchObject({ code: 'config-invalid', message: /allkeys-lru.*noeviction/ });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('says so where there is none', async () => {
    const opening = RedisQueue.open('redis://:secret@127.0.0.1:1', { name: 'x', timeoutMs: 500 });
    const error = await opening.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'queue-unreachable' });
    expect((error as Error).message).not.toContain('secret');
  });
});
