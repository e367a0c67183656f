import { Redis } from 'ioredis';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { type Log, silentLog } from '../../platform/log.ts';
import type { Run } from '../plan/task.ts';
import { redisError, unreachable } from './redis-errors.ts';
import { RedisRun } from './redis-run.ts';
import {
  type Counts,
  type Failure,
  type Json,
  type Lease,
  QUEUE_DEFAULTS,
  type QueueOptions,
  type TaskQueue,
  type TaskStatus,
} from './task-queue.ts';

export interface RedisQueueOptions extends Partial<QueueOptions> {
  /** All that share a name share a run. */
  name: string;
  clock?: Clock;
  log?: Log;
  /** How long a call waits for Redis, which may be away for a moment. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;

/** Sets the open run where there is none. KEYS: run. ARGV: record. Gives what is there then. */
const OPEN = `if redis.call('SET', KEYS[1], ARGV[1], 'NX') then return ARGV[1] end return redis.call('GET', KEYS[1])`;
/** Replaces the record by another, or removes it, if it is still the same. ARGV: old, new (empty: remove). */
const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end return 1`;

/** The open run. `closing`: it is over, and what Redis has of it is being removed. */
interface RunRecord {
  state: 'open' | 'closing';
  run: Run;
}

/**
 * The queue on Redis, by BullMQ, for a training on many machines. One key holds the open run whole, before any of its tasks is
 * in the queue: whoever finds it can put its tasks there, so a master may die at any moment, and two masters have one run.
 */
export class RedisQueue implements TaskQueue {
  readonly kind = 'redis';
  readonly place: string;
  readonly #redis: Redis;
  readonly #options: QueueOptions & Pick<RedisQueueOptions, 'name'>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #log: Log;
  readonly #runs = new Map<string, RedisRun>();

  private constructor(redis: Redis, place: string, options: RedisQueueOptions) {
    this.#redis = redis;
    this.place = place;
    this.#options = { ...QUEUE_DEFAULTS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#log = options.log ?? silentLog;
  }

  /** @throws KedgeError `queue-unreachable`; `config-invalid` for a Redis that may throw tasks away */
  static async open(url: string, options: RedisQueueOptions): Promise<RedisQueue> {
    const log = options.log ?? silentLog;
    const redis = new Redis(url, {
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(times * 100, 2_000),
      connectTimeout: 5_000,
    });
    const place = placeOf(url);
    redis.on('error', (error) => log.debug({ error: messageOf(error) }, 'Redis'));
    const queue = new RedisQueue(redis, place, options);
    try {
      await queue.#checkServer();
      return queue;
    } catch (error) {
      await queue.close();
      throw error;
    }
  }

  async openRun(run: Run): Promise<{ run: Run; joined: boolean }> {
    for (;;) {
      const text = JSON.stringify({ state: 'open', run } satisfies RunRecord);
      const found = await this.#ask(() => this.#redis.eval(OPEN, 1, this.#key, text));
      const record = parseJson(found as string) as RunRecord;
      if (record.state === 'open') {
        await this.repair(record.run);
        return { run: record.run, joined: record.run.id !== run.id };
      }
      await this.#removeRun(record, found as string);
    }
  }

  async currentRun(): Promise<Run | undefined> {
    const record = (await this.#record())?.record;
    return record?.state === 'open' ? record.run : undefined;
  }

  async repair(run: Run): Promise<void> {
    const { missing } = await this.counts(run);
    if (missing > 0) await this.#ask(() => this.#run(run.id).add(run));
  }

  counts(run: Run): Promise<Counts> {
    return this.#ask(() => this.#run(run.id).counts(run.tasks.length));
  }

  status(run: Run): Promise<TaskStatus[]> {
    return this.#ask(() => this.#run(run.id).status(run));
  }

  async lease(run: Run): Promise<Lease | undefined> {
    const leased = await this.#ask(() => this.#run(run.id).leaseTask());
    return leased && { kind: 'task', run: run.id, model: leased.task.model, ...leased };
  }

  async leaseFinish(run: Run): Promise<Lease | undefined> {
    const token = await this.#ask(() => this.#run(run.id).leaseFinish());
    return token === undefined ? undefined : { kind: 'finish', run: run.id, model: '', attempt: 1, token };
  }

  renew({ run, token }: Lease): Promise<boolean> {
    return this.#ask(() => this.#run(run).renew(token));
  }

  progress({ run, token }: Lease, done: number): Promise<void> {
    return this.#ask(() => this.#run(run).progress(token, done));
  }

  ack({ run, token }: Lease, result: Json): Promise<boolean> {
    return this.#ask(() => this.#run(run).ack(token, result));
  }

  fail({ run, token }: Lease, failure: Failure): Promise<'again' | 'set aside' | 'lost'> {
    return this.#ask(() => this.#run(run).fail(token, failure));
  }

  release({ run, token }: Lease): Promise<boolean> {
    return this.#ask(() => this.#run(run).release(token));
  }

  async closeRun(lease: Lease): Promise<boolean> {
    if (lease.kind !== 'finish' || !(await this.renew(lease))) return false;
    const found = await this.#record();
    if (found?.record.run.id !== lease.run) return false;
    const closing: RunRecord = { state: 'closing', run: { ...found.record.run, tasks: [] } };
    const text = JSON.stringify(closing);
    const swapped = await this.#ask(() => this.#redis.eval(SWAP, 1, this.#key, found.text, text));
    if (swapped === 1) await this.#removeRun(closing, text);
    return swapped === 1;
  }

  async close(): Promise<void> {
    const parts = [...this.#runs.values()].map((run) => run.close());
    // A Redis that is away cannot be taken leave of.
    const left = new AbortController();
    await Promise.race([Promise.allSettled(parts), this.#clock.sleep(2_000, left.signal)]);
    // Its timer would keep the program from ending.
    left.abort();
    this.#redis.disconnect();
  }

  get #key(): string {
    return `{kedge}:train:${this.#options.name}`;
  }

  async #record(): Promise<{ record: RunRecord; text: string } | undefined> {
    const text = await this.#ask(() => this.#redis.get(this.#key));
    return text === null ? undefined : { record: parseJson(text) as RunRecord, text };
  }

  /** The record goes last, so that whoever finds it goes on where another was killed. */
  async #removeRun({ run }: RunRecord, text: string): Promise<void> {
    await this.#ask(() => this.#run(run.id).remove());
    await this.#ask(() => this.#redis.eval(SWAP, 1, this.#key, text, ''));
    await this.#runs.get(run.id)?.close();
    this.#runs.delete(run.id);
  }

  #run(id: string): RedisRun {
    const known = this.#runs.get(id);
    if (known) return known;
    const { name } = this.#options;
    const made = new RedisRun(this.#redis, `train-${name}-${id}`, this.#options, (error) =>
      this.#log.debug({ error: messageOf(error) }, 'BullMQ'),
    );
    this.#runs.set(id, made);
    return made;
  }

  /** A call that waits no longer than the limit: the client itself would wait for Redis for ever. */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = this.#clock.sleep(this.#timeoutMs, done.signal).then((): never => {
      throw unreachable(this.place, `nothing within ${this.#timeoutMs / 1000} s`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([call(), late]);
    } catch (error) {
      throw redisError(error, this.place);
    } finally {
      done.abort();
    }
  }

  async #checkServer(): Promise<void> {
    const info = await this.#ask(() => this.#redis.info());
    const value = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    const policy = value('maxmemory_policy');
    if (Number(value('maxmemory')) > 0 && policy !== 'noeviction') {
      throw new KedgeError(
        'config-invalid',
        `Redis at ${this.place} has maxmemory-policy ${policy}: it would throw tasks away when its memory is short. Set it to noeviction.`,
      );
    }
    if (value('aof_enabled') === '0') {
      this.#log.info(
        { redis: this.place },
        'Redis keeps no append-only file: a restart of it loses the run, and a master has to plan anew (appendonly yes keeps it)',
      );
    }
  }
}

/** Host, port and database, without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
