import type { Redis } from 'ioredis';

/** The same for every code and run, since what scales workers by it is told one name for ever. The braces: see redis-run.ts. */
export const TASKS_LEFT = '{kedge}:train:left';
const SCAN_COUNT = 1_000;

/**
 * The tasks of a run that are neither done nor set aside, as members of one set of Redis that all runs share: SCARD of it is what KEDA scales workers
 * by. It says how many workers are worth starting, and nothing else: a member too many costs a worker that leaves at once, and goes when
 * the run is finished. So a task is a member before it is in the queue, and until after it left it.
 */
export class TasksLeft {
  readonly #redis: Redis;
  readonly #run: string;

  constructor(redis: Redis, run: string) {
    this.#redis = redis;
    this.#run = run;
  }

  async add(models: readonly string[]): Promise<void> {
    if (models.length > 0) await this.#redis.sadd(TASKS_LEFT, ...models.map((model) => this.#member(model)));
  }

  async drop(models: readonly string[]): Promise<void> {
    if (models.length > 0) await this.#redis.srem(TASKS_LEFT, ...models.map((model) => this.#member(model)));
  }

  /** Drops all tasks of the run, whatever they are. */
  async clear(): Promise<void> {
    const prefix = this.#member('');
    for await (const members of this.#redis.sscanStream(TASKS_LEFT, { count: SCAN_COUNT })) {
      const ours = (members as string[]).filter((member) => member.startsWith(prefix));
      if (ours.length > 0) await this.#redis.srem(TASKS_LEFT, ...ours);
    }
  }

  #member(model: string): string {
    return `${this.#run}/${model}`;
  }
}
