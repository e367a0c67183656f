import type { ErrorCode } from '../contract/errors.ts';
import { Inflight } from './inflight.ts';
import { WorkStats } from './work-stats.ts';

/** Upper bounds in seconds, from a run on the serving loop to a slow host process. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** Counts of observations by bucket. Plain arrays, because every request passes here. */
class Durations {
  readonly counts: number[] = new Array<number>(DURATION_BUCKETS.length + 1).fill(0);
  sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += seconds;
  }
}

/** What came of the requests to one version; model and version are empty where none could be chosen. */
export class VersionStats {
  readonly model: string;
  readonly version: string;
  /** By HTTP status. */
  readonly codes = new Map<number, number>();
  readonly request = new Durations();
  readonly inference = new Durations();
  readonly work = new WorkStats();

  constructor(model: string, version: string) {
    this.model = model;
    this.version = version;
  }

  count(status: number, seconds: number): void {
    this.codes.set(status, (this.codes.get(status) ?? 0) + 1);
    this.request.observe(seconds);
  }
}

/** Counters of the requests that want predictions. */
export class RequestStats {
  readonly inflight: Inflight;
  /** Connections that were refused before their bytes came to be a request, by code. */
  readonly refused = new Map<ErrorCode, number>();
  /** Lines of the access log that nobody read in time. */
  droppedLines = 0;
  readonly #versions = new Map<string, VersionStats>();
  readonly #seconds: () => number;

  /** @param seconds a clock that never goes back */
  constructor(seconds: () => number = () => performance.now() / 1000) {
    this.#seconds = seconds;
    this.inflight = new Inflight(seconds);
  }

  now(): number {
    return this.#seconds();
  }

  /** Only names that the server knows come here, so that nobody can fill the memory by asking. */
  of(model: string, version: string): VersionStats {
    const key = `${model}/${version}`;
    let stats = this.#versions.get(key);
    if (!stats) {
      stats = new VersionStats(model, version);
      this.#versions.set(key, stats);
    }
    return stats;
  }

  find(model: string, version: string): VersionStats | undefined {
    return this.#versions.get(`${model}/${version}`);
  }

  refuse(code: ErrorCode): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  all(): Iterable<VersionStats> {
    return this.#versions.values();
  }

  /** Drops what does not hold any more. */
  keep(holds: (stats: VersionStats) => boolean): void {
    for (const [key, stats] of this.#versions) if (!holds(stats)) this.#versions.delete(key);
  }
}
