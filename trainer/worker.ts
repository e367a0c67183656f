import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRORS, hasCode, KedgeError, messageOf } from '../contract/errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { Run, TrainingTask } from './plan/task.ts';
import { isDrained, type Json, type Lease, type TaskQueue } from './queue/task-queue.ts';
import { type FitProcessOptions, fitInProcess } from './run/fit-process.ts';
import { handIn, readStaged, reportKey, type Staged } from './run/staging.ts';

export interface WorkerOptions {
  queue: TaskQueue;
  store: ObjectStore;
  /** URL of the module that says what is trained. */
  module: string;
  /** Writes what a task learns from into a folder. */
  extract(task: TrainingTask, folder: string, signal: AbortSignal): Promise<void>;
  clock: Clock;
  random: () => number;
  log: Log;
  /** On abort tasks under way are ended and go back to the queue. */
  signal?: AbortSignal | undefined;
  /** Tasks at once. */
  fits: number;
  fitMs: number;
  leaseMs: number;
  /** How long a queue may be away. */
  patienceMs: number;
  pollMs?: number;
  onProgress?(progress: { model: string; done: number }): void;
  onStart?: FitProcessOptions['onStart'];
}

export interface WorkerOutcome {
  /** Tasks that this worker brought to an end. */
  done: number;
  /** Tries that failed here. */
  failures: number;
  /** `drained`: nothing of the run is left, others' leases included. `none`: no run is open. `stopped`: it was told to go. */
  ended: 'drained' | 'none' | 'stopped';
  run?: string;
}

const POLL_MS = 500;
/** Errors of the data or of settings: another try has the same. */
const FINAL = new Set(['data-invalid', 'config-invalid', 'source-invalid', 'estimator-invalid']);
/** No fault of the task: it goes back, and the worker says what it lacks. */
const OUTSIDE = new Set(['bucket-unreachable', 'database-unreachable', 'database-locked']);

/**
 * Works off the open run until it is drained: nothing waiting, active, delayed or leased by others. A worker that left earlier with 0 would end
 * the Job of all while a task may come back from one that died.
 *
 * Of one task: leased -> fitted in a process of its own, the lease renewed meanwhile -> handed in -> acknowledged. Killed
 * anywhere, the lease runs out and another does it again; what was handed in already is not fitted again.
 * @throws KedgeError `queue-unreachable`, `queue-full` where the queue stays away longer than `patienceMs`, or the error of the
 *   bucket or the database that no task can do without
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerOutcome> {
  return new TrainingWorker(options).work();
}

class TrainingWorker {
  readonly #options: WorkerOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #outcome: WorkerOutcome = { done: 0, failures: 0, ended: 'drained' };
  #fatal: unknown;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  async work(): Promise<WorkerOutcome> {
    const { queue, signal } = this.#options;
    const stop = (): void => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    try {
      const run = await this.#patient(() => queue.currentRun());
      if (!run) return { ...this.#outcome, ended: 'none' };
      this.#outcome.run = run.id;
      await this.#workOff(run);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fatal ??= error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    if (this.#fatal !== undefined) this.#stop.abort();
    await Promise.all(this.#underWay);
    if (this.#fatal !== undefined) throw this.#fatal;
    return { ...this.#outcome, ended: signal?.aborted ? 'stopped' : 'drained' };
  }

  async #workOff(run: Run): Promise<void> {
    const { queue, clock, fits, pollMs = POLL_MS, random } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const lease = this.#underWay.size < fits ? await this.#patient(() => queue.lease(run)) : undefined;
      if (lease) {
        const work = this.#task(run, lease).finally(() => this.#underWay.delete(work));
        this.#underWay.add(work);
        continue;
      }
      const counts = await this.#patient(() => queue.counts(run));
      if (counts.missing > 0 && !(await this.#repaired(run))) return;
      if (isDrained(counts) && this.#underWay.size === 0) return;
      await Promise.race([clock.sleep(pollMs * (0.5 + random()), signal), ...this.#underWay]);
    }
  }

  /** Puts back what the queue lost; false where the run is over. @throws KedgeError `queue-failed` where all of it was lost */
  async #repaired(run: Run): Promise<boolean> {
    const { queue, store } = this.#options;
    if ((await this.#patient(() => queue.currentRun()))?.id === run.id) {
      await this.#patient(() => queue.repair(run));
      return true;
    }
    if (await store.head(reportKey(run.id))) return false;
    throw new KedgeError(
      'queue-failed',
      `The run ${run.id} is gone from ${queue.place}, and nobody finished it: plan again with kedge train master. What was handed in is in the bucket.`,
    );
  }

  /** Never rejects: what is no matter of the task ends the worker. */
  async #task(run: Run, lease: Lease): Promise<void> {
    const { queue, leaseMs, log } = this.#options;
    const facts = { run: run.id, model: lease.model, attempt: lease.attempt };
    const ended = new AbortController();
    const lost = new AbortController();
    const renewing = this.#renew(lease, leaseMs, ended.signal, lost);
    const signal = AbortSignal.any([this.#stop.signal, lost.signal]);
    try {
      log.info(facts, 'A task begins');
      const staged = await this.#fit(run, lease, signal);
      if (await this.#patient(() => queue.ack(lease, resultOf(staged)))) this.#outcome.done += 1;
      log.info({ ...facts, ...staged.cost }, 'A task is done');
    } catch (error) {
      await this.#afterFailure(lease, error, lost.signal, facts).catch((thrown) => {
        this.#fatal ??= thrown;
        this.#stop.abort();
      });
    } finally {
      ended.abort();
      await renewing;
    }
  }

  async #afterFailure(lease: Lease, error: unknown, lost: AbortSignal, facts: object): Promise<void> {
    const { queue, log } = this.#options;
    if (lost.aborted) {
      log.warn(facts, 'The lease of a task was lost: another worker has it, or will');
      return;
    }
    const outside = error instanceof KedgeError && (OUTSIDE.has(error.code) || error.code.startsWith('queue-'));
    if (this.#stop.signal.aborted || outside) {
      // Where the queue itself is away the lease runs out by itself.
      await queue.release(lease).catch(() => undefined);
      log.info(facts, 'A task goes back to the queue');
      if (outside) throw error;
      return;
    }
    this.#outcome.failures += 1;
    const code = error instanceof KedgeError ? error.code : 'internal';
    const failure = { code, message: messageOf(error), final: FINAL.has(code) };
    const what = await this.#patient(() => queue.fail(lease, failure));
    log.warn({ ...facts, code, error: failure.message }, `A task failed: ${what}`);
  }

  /** What was handed in already is enough: only its acknowledgement did not get through. */
  async #fit(run: Run, lease: Lease, signal: AbortSignal): Promise<Staged> {
    const { store, clock, module, extract, fitMs, queue, onProgress, onStart } = this.#options;
    const task = lease.task!;
    const { model } = task;
    const before = await readStaged(store, run.id, model, signal).catch(ignoreInvalid);
    if (before) return before;
    const folder = await mkdtemp(join(tmpdir(), 'kedge-fit-'));
    let told = 0;
    try {
      await extract(task, folder, signal);
      const result = await fitInProcess(
        { module, task, folder },
        {
          clock,
          timeoutMs: fitMs,
          signal,
          ...(onStart && { onStart }),
          onProgress: (done) => {
            onProgress?.({ model, done });
            if (done - told < 0.1) return;
            told = done;
            void queue.progress(lease, done).catch(() => undefined);
          },
        },
      );
      return await handIn(store, run.id, { model, attempt: randomUUID(), folder, result }, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** A queue that does not answer is no reason to stop: the lease may hold still when it does. */
  async #renew(lease: Lease, leaseMs: number, ended: AbortSignal, lost: AbortController): Promise<void> {
    const { queue, clock, log } = this.#options;
    for (;;) {
      await clock.sleep(leaseMs / 3, ended);
      if (ended.aborted) return;
      try {
        if (await queue.renew(lease)) continue;
        lost.abort(new KedgeError('conflict', `The lease of ${lease.model} was lost.`));
        return;
      } catch (error) {
        log.debug({ model: lease.model, error: messageOf(error) }, 'A lease could not be renewed');
      }
    }
  }

  /** Asks the queue until it answers, at most for `patienceMs`. */
  async #patient<T>(ask: () => Promise<T>): Promise<T> {
    const { clock, patienceMs, random, log } = this.#options;
    const end = clock.now() + patienceMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        const away = hasCode(error, 'queue-unreachable') || hasCode(error, 'queue-full');
        if (!away || this.#stop.signal.aborted || clock.now() >= end) throw error;
        log.warn({ error: error.message }, 'The queue does not answer; it is asked again');
        await clock.sleep(backoffMs(attempt, { baseMs: 100, maxMs: 5_000 }, random()), this.#stop.signal);
      }
    }
  }
}

/** A result that cannot be read is made anew. */
function ignoreInvalid(error: unknown): undefined {
  if (!hasCode(error, 'document-invalid')) throw error;
  return undefined;
}

/** Small: all else is in the bucket. */
function resultOf({ attempt, cost }: Staged): Json {
  return { attempt, cost };
}

/** With which code a worker ends: 0 only when the run is drained and nothing failed for good. */
export function workerExit(outcome: WorkerOutcome, failed: number): number {
  if (outcome.ended === 'stopped') return STOPPED;
  return failed > 0 ? ERRORS['training-incomplete'].exit : 0;
}

/** What a shell reports for a program that was told to go. */
const STOPPED = 143;
