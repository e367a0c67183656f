import type { Run, TrainingTask } from '../plan/task.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Somebody's right to one task, or to the finish of a run, until it runs out or is renewed. */
export interface Lease {
  readonly kind: 'task' | 'finish';
  readonly run: string;
  /** The model; of a finish the empty string. */
  readonly model: string;
  /** Of a task. */
  readonly task?: TrainingTask;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Unlike any other lease. */
  readonly token: string;
}

export interface Failure {
  /** A code of contract/errors.ts, or what else is known of the kind. */
  code: string;
  message: string;
  /** Trying again cannot help: the task is set aside at once. */
  final: boolean;
}

/** How many tasks of a run are in which state; `missing` are those that were planned and are not in the queue (see `repair`). */
export interface Counts {
  total: number;
  waiting: number;
  active: number;
  /** Failed, and to be tried again later. */
  delayed: number;
  done: number;
  /** Set aside: failed for good. */
  failed: number;
  missing: number;
}

export type TaskState = 'waiting' | 'active' | 'delayed' | 'done' | 'failed' | 'missing';

export interface TaskStatus {
  model: string;
  state: TaskState;
  /** Tries that failed. */
  attempts: number;
  /** Of the try under way, from 0 to 1. */
  progress: number;
  /** What was acknowledged. */
  result?: Json;
  /** Of the last try that failed. */
  failure?: { code: string; message: string };
}

/**
 * The tasks of training. At most one run is open at a time; the queue of another code has another name.
 *
 * A task: waiting -> active (leased) -> done | delayed (failed, tried again) -> waiting | failed (set aside)
 *         active -> waiting, when the lease is released, or runs out (its worker died); failed, when it ran out too often
 * A run:  open (tasks) -> every task done or failed -> finish leased -> closed (gone from the queue; its report is in the bucket)
 *
 * What is told to it twice changes nothing: tasks have the identity run and model. An acknowledgement of a lease that was lost has
 * no effect. Every method throws KedgeError `queue-unreachable`, `queue-full` or `queue-failed`.
 */
export interface TaskQueue {
  readonly kind: 'process' | 'redis';
  /** For sentences. Never a password. */
  readonly place: string;
  /** Opens `run`, unless one is open: then that one is the answer, and whatever of it is not in the queue yet is put there. */
  openRun(run: Run): Promise<{ run: Run; joined: boolean }>;
  currentRun(): Promise<Run | undefined>;
  /** Puts those tasks of an open run into the queue that are not in it: a master may die in the midst of that, or Redis lose them. */
  repair(run: Run): Promise<void>;
  counts(run: Run): Promise<Counts>;
  status(run: Run): Promise<TaskStatus[]>;
  /** A task that nobody has, or undefined where there is none now. Does not wait. */
  lease(run: Run): Promise<Lease | undefined>;
  /** The right to finish the run: only when every task is done or failed, and to one at a time. */
  leaseFinish(run: Run): Promise<Lease | undefined>;
  /** False where the lease was lost. */
  renew(lease: Lease): Promise<boolean>;
  /** From 0 to 1. */
  progress(lease: Lease, done: number): Promise<void>;
  /** The task is done. False where the lease was lost. */
  ack(lease: Lease, result: Json): Promise<boolean>;
  fail(lease: Lease, failure: Failure): Promise<'again' | 'set aside' | 'lost'>;
  /** Gives the task back, as if it had not been leased. False where the lease was lost. */
  release(lease: Lease): Promise<boolean>;
  /** Ends the run for good, and removes what the queue knows of it. False where the lease was lost. */
  closeRun(lease: Lease): Promise<boolean>;
  close(): Promise<void>;
}

export interface QueueOptions {
  /** How long a lease holds without being renewed. */
  leaseMs: number;
  /** Tries of a task before it is set aside. */
  attempts: number;
  /** Wait before the second try; it doubles for each further one. */
  backoffMs: number;
}

export const QUEUE_DEFAULTS: QueueOptions = { leaseMs: 30_000, attempts: 3, backoffMs: 2_000 };

/** Nothing of the run is waiting, active, delayed, leased by others, or not in the queue yet. */
export function isDrained({ total, done, failed }: Counts): boolean {
  return done + failed === total;
}

/** For a task whose workers died with it. */
export function lostFailure(times: number): Failure {
  const message = `The worker was gone ${times} times while it had this task: it may take more memory than a worker may have. See what ended the workers.`;
  return { code: 'worker-lost', message, final: true };
}
