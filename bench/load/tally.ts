import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency, LoadInterval, LoadTotal } from '../report/record.ts';
import type { Settlement } from './settlements.ts';

/** Microseconds with three digits. */
function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 26, numberOfSignificantValueDigits: 3 });
}

type Counted = Omit<LoadInterval, 'at' | 'inFlight'>;

/** Counts of requests that are over. */
class Counts {
  scheduled = 0;
  ok = 0;
  wrong = 0;
  failed = 0;
  dropped = 0;
  readonly #latency = newHistogram();
  readonly #statuses = new Map<number, number>();
  readonly #versions = new Map<string, number>();

  add(
    { outcome, status, latency }: Pick<Settlement, 'outcome' | 'status' | 'latency'>,
    version: string | undefined,
  ): void {
    this.scheduled += 1;
    this[outcome] += 1;
    if (outcome === 'dropped') return;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === 200) this.#latency.recordValue(Math.max(1, latency));
    if (version !== undefined) this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1);
  }

  take(): Counted {
    const { scheduled, ok, wrong, failed, dropped } = this;
    const latency = latencyOf(this.#latency);
    return {
      scheduled,
      ok,
      wrong,
      failed,
      dropped,
      ...(latency && { latency }),
      statuses: Object.fromEntries([...this.#statuses].map(([status, count]) => [status || 'none', count])),
      versions: Object.fromEntries([...this.#versions].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))),
    };
  }
}

function latencyOf(histogram: Histogram): Latency | undefined {
  if (histogram.totalCount === 0) return undefined;
  const [p50, p90, p99, p999] = [50, 90, 99, 99.9].map((share) => valueAt(histogram, share));
  return { p50: p50!, p90: p90!, p99: p99!, p999: p999!, max: valueAt(histogram, 100) };
}

/** A bucket stands for its highest value, which may be over the highest that there was. */
function valueAt(histogram: Histogram, share: number): number {
  return Math.min(histogram.getValueAtPercentile(share), histogram.maxValue);
}

/** What was counted since the last look, by when requests were over; not by when they were scheduled, as intervals do. */
export interface Look extends Counted {
  /** Seconds on the run's clock. */
  at: number;
  inFlight: number;
}

/** Counts all requests of a run, and each in the interval that it was scheduled in, which is told once nothing of it is left under way. */
export class Tally {
  readonly intervals: LoadInterval[] = [];
  readonly #total = new Counts();
  readonly #behind = newHistogram();
  readonly #open = new Map<number, Counts>();
  readonly #inFlight: number[] = [];
  #sinceLook = new Counts();

  /** @param settlement not behind where there is no schedule */
  add(settlement: Omit<Settlement, 'behind'> & { behind?: number }, version: string | undefined): void {
    const { interval, behind } = settlement;
    let counts = this.#open.get(interval);
    if (!counts) {
      counts = new Counts();
      this.#open.set(interval, counts);
    }
    counts.add(settlement, version);
    this.#total.add(settlement, version);
    this.#sinceLook.add(settlement, version);
    if (behind !== undefined) this.#behind.recordValue(Math.max(1, behind));
  }

  /** One thread had so many requests under way at the end of an interval. */
  addInFlight(interval: number, count: number): void {
    this.#inFlight[interval] = (this.#inFlight[interval] ?? 0) + count;
  }

  /** Closes intervals before `end`, and answers those. */
  close(end: number): LoadInterval[] {
    const closed: LoadInterval[] = [];
    for (let at = this.intervals.length; at < end; at += 1) {
      const counts = this.#open.get(at) ?? new Counts();
      this.#open.delete(at);
      const interval = { at, ...counts.take(), inFlight: this.#inFlight[at] ?? 0 };
      this.intervals.push(interval);
      closed.push(interval);
    }
    return closed;
  }

  look(at: number, inFlight: number): Look {
    const counts = this.#sinceLook;
    this.#sinceLook = new Counts();
    return { at, inFlight, ...counts.take() };
  }

  total(): LoadTotal {
    const behind = this.#behind.totalCount > 0 && { behindP99: valueAt(this.#behind, 99) };
    return { ...this.#total.take(), ...behind };
  }
}
