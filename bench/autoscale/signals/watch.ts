import type { PodView } from '../../cluster/cluster.ts';
import type { ProxyStats } from '../../cluster/proxy/proxy.ts';
import type { RunClock } from '../../cluster/run-clock.ts';
import type { PolicyMetric, Reading } from '../../hpa/observe.ts';
import type { PodMetric } from '../../hpa/pods.ts';
import { usageOf } from '../../processes.ts';
import type { Measure } from './measured.ts';
import { scrapeInFlight } from './scrape.ts';
import { PodSeries } from './series.ts';

export interface WatchOptions {
  clock: RunClock;
  /** Seconds of the run's clock from one scrape of a pod to the next. */
  scrapeSeconds: number;
  /** Seconds that the rate of requests under way is taken over. */
  windowSeconds: number;
  /** What a pod requests: thousandths of a core, and thousandths of a byte. */
  requests: { cpu: number; memory: number };
  pods(): readonly PodView[];
  proxyStats(): Promise<ProxyStats>;
  /** Requests in front of the pods, those that are held there too; undefined where nobody looked yet. */
  pending?: (() => number | undefined) | undefined;
}

/** Of metrics-server, in seconds. */
const CPU_RESOLUTION = 15;
const SCRAPE_TIMEOUT_MS = 5_000;

/**
 * Scrapes pods, and answers metrics from what it saw. What is under way in a pod is what its own counter says, and what declared capacity holds back
 * for it in the proxy: a real pod of that capacity would have taken those in, and counted them.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #series = new Map<string, PodSeries>();
  /** Pods that are asked just now. */
  readonly #asked = new Set<string>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Scrapes once in each period until the signal aborts; pods that do not answer are left out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, scrapeSeconds } = this.#options;
    for (let next = clock.now(); !signal.aborted; ) {
      // Not waited for: one pod that hangs does not keep the others from being seen.
      void this.look();
      next = Math.max(next + scrapeSeconds, clock.now());
      await clock.sleep(next - clock.now(), signal);
    }
  }

  /** Scrapes all pods that listen. */
  async look(): Promise<void> {
    const { clock, pods } = this.#options;
    const live = pods().filter(({ ports }) => ports);
    const usage = usageOf(live.flatMap(({ pid }) => pid ?? []));
    for (const { name, pid } of live) {
      const seen = usage.get(pid ?? 0);
      if (seen) this.#at(name).addUsage(clock.now(), { ...seen, cpuSeconds: seen.cpuSeconds * clock.compression });
    }
    await Promise.all(live.map((pod) => this.#look(pod)));
  }

  seriesOf(pod: string): PodSeries | undefined {
    return this.#series.get(pod);
  }

  /** What a metric reads now. Undefined where no pod was seen often enough: its API has no answer. */
  reading({ kind }: PolicyMetric, measure: Measure): Reading | undefined {
    const now = this.#options.clock.now();
    if (measure === 'pending') {
      const pending = this.#options.pending?.();
      return pending === undefined ? undefined : { total: pending * 1_000 };
    }
    if (kind === 'External' || kind === 'Object') {
      // A query of Prometheus sums what it saw within the window, of pods that are gone since as well.
      const rates = [...this.#series.values()].flatMap(
        (one) => one.concurrency(now, this.#options.windowSeconds) ?? [],
      );
      if (rates.length === 0) return undefined;
      return { total: Math.round(rates.reduce((sum, rate) => sum + rate, 0) * 1_000) };
    }
    const live = this.#options.pods().map(({ name }) => name);
    const samples = live.flatMap((name): [string, PodMetric][] => {
      const sample = this.#sample(name, measure, now);
      return sample ? [[name, sample]] : [];
    });
    const { requests } = this.#options;
    const request = measure === 'memory' ? requests.memory : requests.cpu;
    return { samples: new Map(samples), requests: new Map(live.map((name) => [name, request])) };
  }

  #sample(name: string, measure: Measure, now: number): PodMetric | undefined {
    const series = this.#series.get(name);
    if (measure === 'cpu') return series?.cpuSample(now, CPU_RESOLUTION);
    if (measure === 'memory') return series?.memorySample(now);
    return series?.concurrencySample(now, this.#options.windowSeconds);
  }

  async #look({ name, ports }: PodView): Promise<void> {
    if (!ports || this.#asked.has(name)) return;
    const { clock, proxyStats } = this.#options;
    this.#asked.add(name);
    const inFlightSeconds = await scrapeInFlight(ports.adminPort, SCRAPE_TIMEOUT_MS);
    // Of the same moment: an answer of a pod may be long on its way.
    const seen = inFlightSeconds === undefined ? undefined : await proxyStats().catch(() => undefined);
    this.#asked.delete(name);
    if (inFlightSeconds === undefined || !seen) return;
    const heldSeconds = seen.pods[name]?.heldSeconds ?? 0;
    this.#at(name).addRequests(clock.now(), (inFlightSeconds + heldSeconds) * clock.compression);
  }

  #at(name: string): PodSeries {
    const series = this.#series.get(name) ?? new PodSeries();
    this.#series.set(name, series);
    return series;
  }
}
