import { randomUUID } from 'node:crypto';
import { FlowProducer, type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { parseJson } from '../../contract/json.ts';
import type { Run, TrainingTask } from '../plan/task.ts';
import type { Counts, Failure, Json, QueueOptions, TaskState, TaskStatus } from './task-queue.ts';
import { lostFailure } from './task-queue.ts';
import { TasksLeft } from './tasks-left.ts';

/** The braces keep all keys in one slot of a Redis cluster, as a flow needs. */
const PREFIX = '{kedge}';

/** What BullMQ says where a lock is gone, another's, or the job is no longer active. */
const LOST = /^(Missing lock for job|Lock mismatch for job|Missing key for job|Job .* is not in the active state)/;

type TaskJob = Job<TrainingTask, Json>;

/**
 * One run as a flow of BullMQ: a queue of its own for the tasks, and in a second queue the finish as their parent, which becomes available
 * when each task is completed or failed for good. As each run has queues of its own, what a straggler of an earlier one does cannot
 * touch it. Jobs are fetched and moved by hand, since a task outlives no call of ours: locks are renewed by whoever works.
 */
export class RedisRun {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #options: QueueOptions;
  readonly #tasks: Queue<TrainingTask, Json>;
  readonly #finish: Queue<object, Json>;
  readonly #left: TasksLeft;
  readonly #onError: (error: Error) => void;
  #workers: { tasks: Worker<TrainingTask, Json>; finish: Worker<object, Json> } | undefined;
  /** What is leased here, by token. */
  readonly #leased = new Map<string, Job>();

  constructor(redis: Redis, name: string, options: QueueOptions, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#name = name;
    this.#options = options;
    this.#left = new TasksLeft(redis, name);
    this.#onError = onError;
    const shared = { connection: redis, prefix: PREFIX };
    this.#tasks = new Queue(name, shared);
    this.#finish = new Queue(this.#finishName, shared);
    for (const queue of [this.#tasks, this.#finish]) queue.on('error', onError);
  }

  get #finishName(): string {
    return `${this.#name}.finish`;
  }

  /** Adds the flow. What of it is there already stays as it is. */
  async add(run: Run): Promise<void> {
    const flow = new FlowProducer({ connection: this.#redis, prefix: PREFIX });
    flow.on('error', this.#onError);
    const { attempts, backoffMs } = this.#options;
    try {
      await this.#left.add(run.tasks.map(({ model }) => model));
      await flow.add({
        name: 'finish',
        queueName: this.#finishName,
        data: {},
        opts: { jobId: 'finish' },
        children: run.tasks.map((task) => ({
          name: 'fit',
          queueName: this.#name,
          data: task,
          opts: {
            jobId: idOf(task.model),
            attempts,
            backoff: { type: 'exponential', delay: backoffMs },
            ignoreDependencyOnFailure: true,
          },
        })),
      });
      const over = (await this.status(run)).filter(({ state }) => state === 'done' || state === 'failed');
      await this.#left.drop(over.map(({ model }) => model));
    } finally {
      await flow.close();
    }
  }

  async counts(total: number): Promise<Counts> {
    const found = await this.#tasks.getJobCounts('wait', 'active', 'delayed', 'completed', 'failed');
    const of = (state: string): number => found[state] ?? 0;
    const known = Object.values(found).reduce((sum, count) => sum + count, 0);
    return {
      total,
      waiting: of('wait'),
      active: of('active'),
      delayed: of('delayed'),
      done: of('completed'),
      failed: of('failed'),
      missing: Math.max(0, total - known),
    };
  }

  async status(run: Run): Promise<TaskStatus[]> {
    const states: ['wait' | 'active' | 'delayed' | 'completed' | 'failed', TaskState][] = [
      ['wait', 'waiting'],
      ['active', 'active'],
      ['delayed', 'delayed'],
      ['completed', 'done'],
      ['failed', 'failed'],
    ];
    const found = new Map<string, TaskStatus>();
    for (const [theirs, state] of states) {
      const jobs = (await this.#tasks.getJobs([theirs], 0, -1)) as TaskJob[];
      for (const job of jobs) if (job) found.set(job.data.model, statusOf(job, state));
    }
    return run.tasks.map(({ model }) => found.get(model) ?? { model, state: 'missing', attempts: 0, progress: 0 });
  }

  async leaseTask(): Promise<{ task: TrainingTask; attempt: number; token: string } | undefined> {
    const { tasks } = this.#started();
    for (;;) {
      const token = randomUUID();
      const job: TaskJob | undefined = await tasks.getNextJob(token, { block: false });
      if (!job) return undefined;
      if (job.deferredFailure) {
        // Its lease ran out too often; BullMQ leaves it to the next worker to say so.
        await job.moveToFailed(new UnrecoverableError(textOf(lostFailure(job.stalledCounter))), token);
        await this.#left.drop([job.data.model]);
        continue;
      }
      this.#leased.set(token, job);
      return { task: job.data, attempt: job.attemptsMade + 1, token };
    }
  }

  async leaseFinish(): Promise<string | undefined> {
    const token = randomUUID();
    const job = await this.#started().finish.getNextJob(token, { block: false });
    if (!job) return undefined;
    this.#leased.set(token, job);
    await this.#left.clear();
    return token;
  }

  async renew(token: string): Promise<boolean> {
    return (await this.#leased.get(token)?.extendLock(token, this.#options.leaseMs)) === 1;
  }

  async progress(token: string, done: number): Promise<void> {
    await this.#leased.get(token)?.updateProgress(done);
  }

  async ack(token: string, result: Json): Promise<boolean> {
    const model = this.#leased.get(token)?.data.model as string | undefined;
    const moved = await this.#move(token, (job) => job.moveToCompleted(result, token, false));
    if (moved && model !== undefined) await this.#left.drop([model]);
    return moved;
  }

  async fail(token: string, failure: Failure): Promise<'again' | 'set aside' | 'lost'> {
    const job = this.#leased.get(token);
    if (!job) return 'lost';
    const error = failure.final ? new UnrecoverableError(textOf(failure)) : new Error(textOf(failure));
    // BullMQ keeps stacks; ours say nothing that the sentence does not.
    error.stack = '';
    const last = failure.final || job.attemptsMade + 1 >= this.#options.attempts;
    const moved = await this.#move(token, () => job.moveToFailed(error, token, false));
    if (!moved) return 'lost';
    if (!last) return 'again';
    await this.#left.drop([job.data.model]);
    return 'set aside';
  }

  async release(token: string): Promise<boolean> {
    if (!(await this.renew(token))) {
      this.#leased.delete(token);
      return false;
    }
    return this.#move(token, (job) => job.moveToWait(token));
  }

  async #move(token: string, move: (job: Job) => Promise<unknown>): Promise<boolean> {
    const job = this.#leased.get(token);
    if (!job) return false;
    try {
      await move(job);
    } catch (error) {
      if (!LOST.test((error as Error).message)) throw error;
      this.#leased.delete(token);
      return false;
    }
    this.#leased.delete(token);
    return true;
  }

  /** Removes all that Redis has of it. The tasks go first: a task that goes makes its parent available, and would bring it back. */
  async remove(): Promise<void> {
    for (const queue of [this.#tasks, this.#finish]) await queue.obliterate({ force: true });
    await this.#left.clear();
  }

  async close(): Promise<void> {
    const closing = [this.#tasks, this.#finish, this.#workers?.tasks, this.#workers?.finish];
    await Promise.allSettled(closing.map((part) => (part instanceof Worker ? part.close(true) : part?.close())));
  }

  /** They only fetch and look after leases that ran out. */
  #started(): { tasks: Worker<TrainingTask, Json>; finish: Worker<object, Json> } {
    if (this.#workers) return this.#workers;
    const { leaseMs, attempts } = this.#options;
    const options = {
      connection: this.#redis,
      prefix: PREFIX,
      autorun: false,
      lockDuration: leaseMs,
      stalledInterval: Math.max(100, Math.ceil(leaseMs / 2)),
    };
    this.#workers = {
      tasks: new Worker(this.#name, null, { ...options, maxStalledCount: attempts - 1 }),
      finish: new Worker(this.#finishName, null, { ...options, maxStalledCount: Number.MAX_SAFE_INTEGER }),
    };
    for (const worker of Object.values(this.#workers)) {
      worker.on('error', this.#onError);
      void worker.startStalledCheckTimer();
    }
    return this.#workers;
  }
}

/** BullMQ takes no id that is a number. */
function idOf(model: string): string {
  return `m.${model}`;
}

function textOf({ code, message }: Failure): string {
  return JSON.stringify({ code, message });
}

function statusOf(job: TaskJob, state: TaskState): TaskStatus {
  return {
    model: job.data.model,
    state,
    // BullMQ counts the one that went well, too.
    attempts: state === 'done' ? Math.max(0, job.attemptsMade - 1) : job.attemptsMade,
    progress: state === 'done' ? 1 : typeof job.progress === 'number' ? job.progress : 0,
    ...(state === 'done' && { result: job.returnvalue }),
    ...(job.failedReason && { failure: failureOf(job) }),
  };
}

function failureOf({ failedReason, stalledCounter }: TaskJob): { code: string; message: string } {
  try {
    return parseJson(failedReason) as { code: string; message: string };
  } catch {
    // What BullMQ itself says: the lease ran out too often.
    const { code, message } = lostFailure(stalledCounter);
    return { code, message };
  }
}
