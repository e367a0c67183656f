import type { PodMetric } from '../../hpa/pods.ts';
import type { Usage } from '../../processes.ts';
import { rateOver, type Sample } from './rate.ts';

/** What a pod was seen to do: times in seconds of the run's clock, counters in its seconds too, so that their rates are true averages. */
export class PodSeries {
  readonly #concurrency: Sample[] = [];
  readonly #cpu: Sample[] = [];
  #memory: Sample | undefined;

  /** @param requestSeconds of the run's clock */
  addRequests(at: number, requestSeconds: number): void {
    this.#concurrency.push({ at, value: requestSeconds });
  }

  /** @param usage CPU seconds of the run's clock, and resident bytes */
  addUsage(at: number, { cpuSeconds, residentBytes }: Usage): void {
    this.#cpu.push({ at, value: cpuSeconds });
    this.#memory = { at, value: residentBytes };
  }

  /** Requests under way, on average over the window, by way of Prometheus. Undefined with less than two samples in it: missing. */
  concurrency(now: number, windowSeconds: number): number | undefined {
    return rateOver(this.#concurrency, now, windowSeconds);
  }

  /** The same as a sample of the custom metrics API. */
  concurrencySample(now: number, windowSeconds: number): PodMetric | undefined {
    const value = this.concurrency(now, windowSeconds);
    if (value === undefined) return undefined;
    return { value: milli(value), age: now - this.#concurrency.at(-1)!.at, window: windowSeconds };
  }

  /** CPU between the newest sample and the newest that is a resolution of metrics-server older: in thousandths of a core. */
  cpuSample(now: number, resolutionSeconds: number): PodMetric | undefined {
    const last = this.#cpu.at(-1);
    const before = this.#cpu.findLast(({ at }) => last && at <= last.at - resolutionSeconds);
    if (!last || !before) return undefined;
    const window = last.at - before.at;
    return { value: milli((last.value - before.value) / window), age: now - last.at, window };
  }

  memorySample(now: number): PodMetric | undefined {
    return this.#memory && { value: milli(this.#memory.value), age: now - this.#memory.at, window: 0 };
  }

  /** Averages between each two looks, for a record. */
  averages(): [at: number, average: number][] {
    return this.#concurrency.slice(1).map(({ at, value }, index) => {
      const before = this.#concurrency[index]!;
      return [at, (value - before.value) / (at - before.at)];
    });
  }
}

function milli(value: number): number {
  return Math.round(value * 1_000);
}
