import { randomUUID } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Run, TrainingTask } from '../plan/task.ts';
import {
  type Counts,
  type Failure,
  isDrained,
  type Json,
  type Lease,
  lostFailure,
  QUEUE_DEFAULTS,
  type QueueOptions,
  type TaskQueue,
  type TaskStatus,
} from './task-queue.ts';

interface Entry {
  task: TrainingTask;
  state: 'waiting' | 'active' | 'delayed' | 'done' | 'failed';
  attempts: number;
  /** How often a lease of it ran out. */
  lost: number;
  progress: number;
  /** Of `active`: which lease, and when it runs out. Of `delayed`: when it is tried again. */
  token?: string | undefined;
  until: number;
  result?: Json;
  failure?: Failure | undefined;
}

interface OpenRun {
  run: Run;
  entries: Map<string, Entry>;
  finish?: { token: string; until: number } | undefined;
}

/** The queue within one process, for a training on one machine. What it holds ends with the process. States: see TaskQueue. */
export class MemoryQueue implements TaskQueue {
  readonly kind = 'process';
  readonly place = 'this process';
  readonly #options: QueueOptions;
  readonly #clock: Pick<Clock, 'now'>;
  #open: OpenRun | undefined;

  constructor(clock: Pick<Clock, 'now'>, options: Partial<QueueOptions> = {}) {
    this.#clock = clock;
    this.#options = { ...QUEUE_DEFAULTS, ...options };
  }

  async openRun(run: Run): Promise<{ run: Run; joined: boolean }> {
    if (this.#open) return { run: this.#open.run, joined: this.#open.run.id !== run.id };
    const entries = run.tasks.map((task): [string, Entry] => [
      task.model,
      { task, state: 'waiting', attempts: 0, lost: 0, progress: 0, until: 0 },
    ]);
    this.#open = { run, entries: new Map(entries) };
    return { run, joined: false };
  }

  async currentRun(): Promise<Run | undefined> {
    return this.#open?.run;
  }

  /** Opening a run is one step here: nothing of it can be missing. */
  async repair(): Promise<void> {}

  async counts(run: Run): Promise<Counts> {
    const entries = this.#entries(run.id);
    const of = (state: Entry['state']): number => entries.filter((entry) => entry.state === state).length;
    return {
      total: run.tasks.length,
      waiting: of('waiting'),
      active: of('active'),
      delayed: of('delayed'),
      done: of('done'),
      failed: of('failed'),
      missing: run.tasks.length - entries.length,
    };
  }

  async status(run: Run): Promise<TaskStatus[]> {
    const entries = new Map(this.#entries(run.id).map((entry) => [entry.task.model, entry]));
    return run.tasks.map(({ model }): TaskStatus => {
      const entry = entries.get(model);
      if (!entry) return { model, state: 'missing', attempts: 0, progress: 0 };
      const { state, attempts, progress, result, failure } = entry;
      return {
        model,
        state,
        attempts,
        progress,
        ...(result !== undefined && { result }),
        ...(failure && { failure: { code: failure.code, message: failure.message } }),
      };
    });
  }

  async lease(run: Run): Promise<Lease | undefined> {
    const entry = this.#entries(run.id).find(({ state }) => state === 'waiting');
    if (!entry) return undefined;
    const token = randomUUID();
    Object.assign(entry, { state: 'active', token, until: this.#clock.now() + this.#options.leaseMs, progress: 0 });
    const { task } = entry;
    return { kind: 'task', run: run.id, model: task.model, task, attempt: entry.attempts + 1, token };
  }

  async leaseFinish(run: Run): Promise<Lease | undefined> {
    const open = this.#open;
    if (open?.run.id !== run.id || !isDrained(await this.counts(run))) return undefined;
    const now = this.#clock.now();
    if (open.finish && open.finish.until > now) return undefined;
    open.finish = { token: randomUUID(), until: now + this.#options.leaseMs };
    return { kind: 'finish', run: run.id, model: '', attempt: 1, token: open.finish.token };
  }

  async renew(lease: Lease): Promise<boolean> {
    const held = this.#held(lease);
    if (held) held.until = this.#clock.now() + this.#options.leaseMs;
    return held !== undefined;
  }

  async progress(lease: Lease, done: number): Promise<void> {
    const entry = this.#heldEntry(lease);
    if (entry) entry.progress = done;
  }

  async ack(lease: Lease, result: Json): Promise<boolean> {
    const entry = this.#heldEntry(lease);
    if (entry) Object.assign(entry, { state: 'done', token: undefined, result, progress: 1 });
    return entry !== undefined;
  }

  async fail(lease: Lease, failure: Failure): Promise<'again' | 'set aside' | 'lost'> {
    const entry = this.#heldEntry(lease);
    if (!entry) return 'lost';
    const { attempts, backoffMs } = this.#options;
    entry.attempts += 1;
    const again = !failure.final && entry.attempts < attempts;
    const until = this.#clock.now() + backoffMs * 2 ** (entry.attempts - 1);
    Object.assign(entry, { state: again ? 'delayed' : 'failed', token: undefined, until, failure });
    return again ? 'again' : 'set aside';
  }

  async release(lease: Lease): Promise<boolean> {
    if (lease.kind === 'finish') {
      const held = this.#held(lease) !== undefined;
      if (held) this.#open!.finish = undefined;
      return held;
    }
    const entry = this.#heldEntry(lease);
    if (entry) Object.assign(entry, { state: 'waiting', token: undefined });
    return entry !== undefined;
  }

  async closeRun(lease: Lease): Promise<boolean> {
    const held = lease.kind === 'finish' && this.#held(lease) !== undefined;
    if (held) this.#open = undefined;
    return held;
  }

  async close(): Promise<void> {}

  /** Those of a run, after what time alone changes: leases that ran out, waits that are over. */
  #entries(run: string): Entry[] {
    if (this.#open?.run.id !== run) return [];
    const now = this.#clock.now();
    const entries = [...this.#open.entries.values()];
    for (const entry of entries) {
      if (entry.until > now) continue;
      if (entry.state === 'delayed') entry.state = 'waiting';
      if (entry.state === 'active') this.#lose(entry);
    }
    return entries;
  }

  #lose(entry: Entry): void {
    entry.lost += 1;
    entry.token = undefined;
    const again = entry.lost < this.#options.attempts;
    entry.state = again ? 'waiting' : 'failed';
    if (!again) entry.failure = lostFailure(entry.lost);
  }

  #heldEntry({ run, model, token }: Lease): Entry | undefined {
    return this.#entries(run).find(
      (entry) => entry.task.model === model && entry.state === 'active' && entry.token === token,
    );
  }

  #held(lease: Lease): { until: number } | undefined {
    if (lease.kind === 'task') return this.#heldEntry(lease);
    const open = this.#open;
    const finish = open?.run.id === lease.run ? open.finish : undefined;
    return finish?.token === lease.token && finish.until > this.#clock.now() ? finish : undefined;
  }
}
