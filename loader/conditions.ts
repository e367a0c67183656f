import { KedgeError, messageOf } from '../contract/errors.ts';
import type { Log } from '../platform/log.ts';
import type { LoaderMetrics } from './metrics.ts';

export interface Problem {
  /** The code of the error, and what the store or the file system says beside it: `bucket-unreachable 403`. */
  code: string;
  message: string;
  error: unknown;
}

/**
 * What is wrong now, by name. A condition is logged when it comes, when it changes its kind, and when it goes, and not at
 * every poll in between.
 */
export class Conditions {
  readonly #log: Log;
  readonly #metrics: LoaderMetrics;
  readonly #problems = new Map<string, Problem>();

  constructor(log: Log, metrics: LoaderMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  get all(): ReadonlyMap<string, Problem> {
    return this.#problems;
  }

  has(name: string): boolean {
    return this.#problems.has(name);
  }

  raise(name: string, error: unknown): void {
    const problem = problemOf(error);
    const before = this.#problems.get(name);
    this.#problems.set(name, problem);
    if (before?.code === problem.code) return;
    if (before) this.#metrics.problems.remove({ problem: kindOf(name), code: before.code });
    this.#metrics.problems.set({ problem: kindOf(name), code: problem.code }, 1);
    this.#log.warn({ problem: name, code: problem.code }, problem.message);
  }

  clear(name: string): void {
    const before = this.#problems.get(name);
    if (!before) return;
    this.#problems.delete(name);
    const kind = kindOf(name);
    const left = [...this.#problems].some(([other, { code }]) => kindOf(other) === kind && code === before.code);
    if (!left) this.#metrics.problems.remove({ problem: kind, code: before.code });
    this.#log.info({ problem: name, code: before.code }, `${name} is well again.`);
  }
}

/** `rollout of demand` counts as `rollout` in metrics, whose labels are bounded. */
function kindOf(name: string): string {
  return name.split(' ')[0]!;
}

/** Where a store tells its HTTP status, a 403 and a 500 are two conditions and not one. */
function problemOf(error: unknown): Problem {
  if (!(error instanceof KedgeError)) return { code: 'internal', message: messageOf(error), error };
  const { status, code } = error.details;
  const part = status ?? code;
  return { code: part === undefined ? error.code : `${error.code} ${part}`, message: error.message, error };
}
