import { KedgeError } from '../../contract/errors.ts';
import { countText } from '../report/format.ts';
import { type Cluster, counts, surplus } from './cluster.ts';
import { LocalPod, type PodTimes } from './pod.ts';
import { isServerReady, startServerProcess } from './pod-process.ts';
import type { ProxyOptions } from './proxy/messages.ts';
import { ProxyProcess } from './proxy/process.ts';
import type { ProxyStats } from './proxy/proxy.ts';
import type { RunClock } from './run-clock.ts';

export interface LocalClusterOptions extends ProxyOptions {
  /** The folder that a loader filled. All pods read it. */
  volume: string;
  /** More settings of the servers. */
  env?: Record<string, string>;
  /** The `kedge` that pods run; this one if absent. */
  program?: string | undefined;
  clock: RunClock;
  times?: Partial<PodTimes>;
}

interface ReadyOptions {
  signal?: AbortSignal | undefined;
  /** Told now and then, in words, of what is waited for. */
  tell?: ((line: string) => void) | undefined;
}

/** The probes of the Deployment in manifests/base. */
const TIMES: PodTimes = { startDelay: 0, preStop: 5, probePeriod: 2, graceMs: 45_000 };
const PROBE_TIMEOUT_MS = 2_000;
/** How long pods may take to be ready once they may start, on the wall: starts and models take what they take. */
const READY_MS = 180_000;
/** Between two lines on what is waited for, on the wall. */
const TELL_MS = 10_000;
const LOOK_MS = 50;
/** Complaints that an error tells, the latest of them. */
const MOST_TOLD = 3;
/** Pods one after another that end before they were ever ready: there is something wrong with all. */
const MOST_FAILED_STARTS = 3;

/** Pods as processes of this machine, each a `kedge serve` over the same volume, behind a proxy in a process of its own. */
export class LocalCluster implements Cluster {
  readonly #options: LocalClusterOptions;
  readonly #times: PodTimes;
  readonly #proxy: ProxyProcess;
  /** All that there ever were, oldest first. */
  readonly #all: LocalPod[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #replicas = 0;
  #failedStarts = 0;
  #stopping = false;

  private constructor(options: LocalClusterOptions, proxy: ProxyProcess) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#proxy = proxy;
    this.#failure.promise.catch(() => undefined);
  }

  /** Without pods yet. @throws Error if the proxy does not start */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const { capacity, holding } = options;
    return new LocalCluster(options, await ProxyProcess.start({ capacity, holding }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy.port}`;
  }

  get replicas(): number {
    return this.#replicas;
  }

  get pods(): readonly LocalPod[] {
    return this.#all.filter(({ state }) => state !== 'gone');
  }

  /** Those that are gone too. */
  get allPods(): readonly LocalPod[] {
    return this.#all;
  }

  /** Rejects once pods keep ending before they are ready. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  scale(replicas: number, why: string): void {
    this.#replicas = replicas;
    this.#settle(why);
  }

  /**
   * Waits until as many pods are ready as there should be.
   * @throws KedgeError `model-not-ready` after three minutes of the wall, or where pods keep ending before
   */
  async untilReady({ signal, tell }: ReadyOptions = {}): Promise<void> {
    const { clock } = this.#options;
    const inRun = (ms: number): number => (ms / 1_000) * clock.compression;
    const start = clock.now();
    const end = start + this.#times.startDelay + inRun(READY_MS);
    let next = start + inRun(TELL_MS);
    const wait = async (): Promise<void> => {
      while (!signal?.aborted) {
        const ready = this.pods.filter(({ state }) => state === 'ready').length;
        if (ready >= this.#replicas) return;
        const now = clock.now();
        if (now >= end) throw this.#notReady(ready, (now - start) / clock.compression);
        if (now >= next) {
          tell?.(
            `${ready} of ${countText(this.#replicas, 'pod')} ready after ${Math.round((now - start) / clock.compression)} s`,
          );
          next += inRun(TELL_MS);
        }
        await clock.sleep(inRun(LOOK_MS));
      }
    };
    await Promise.race([wait(), this.#failure.promise]);
  }

  /** Drains all pods, and waits until they are gone. */
  async sleep(why: string): Promise<void> {
    this.scale(0, why);
    await Promise.all(this.pods.map(({ gone }) => gone));
  }

  /** @throws Error if the proxy has ended */
  proxyStats(): Promise<ProxyStats> {
    return this.#proxy.stats();
  }

  /** Drains all pods in order; what does not end within the grace is killed. */
  async drain(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.pods.map((pod) => pod.drain('the run is over')));
  }

  /** Ends all at once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.pods.map((pod) => pod.end()));
    await this.#proxy.stop();
  }

  #notReady(ready: number, seconds: number): KedgeError {
    const told = this.pods.flatMap(({ complaints }) => complaints).slice(-MOST_TOLD);
    const why =
      told.length > 0
        ? `They complained:\n${told.join('\n')}`
        : 'They complained of nothing: see that the volume holds a catalog with models that a loader has put there.';
    return new KedgeError(
      'model-not-ready',
      `${ready} of ${countText(this.#replicas, 'pod')} came to be ready in ${Math.round(seconds)} s. ${why}`,
    );
  }

  /** Creates what is missing, drains what is too many. */
  #settle(why: string): void {
    if (this.#stopping) return;
    for (const pod of surplus(this.pods, this.#replicas)) void pod.drain(why);
    for (let missing = this.#replicas - this.pods.filter(counts).length; missing > 0; missing -= 1) this.#create();
  }

  #create(): void {
    const { volume, env = {}, program, clock } = this.#options;
    const name = `kedge-${this.#all.length}`;
    const pod: LocalPod = new LocalPod({
      name,
      clock,
      times: this.#times,
      start: () => startServerProcess(volume, { env, program }),
      probe: (adminPort) => isServerReady(adminPort, PROBE_TIMEOUT_MS),
      isHeldBack: () => this.#isHeldBack(name),
      onChange: (changed) => this.#changed(changed),
    });
    this.#all.push(pod);
  }

  async #isHeldBack(name: string): Promise<boolean> {
    try {
      return ((await this.#proxy.stats()).pods[name]?.held ?? 0) > 0;
    } catch {
      // Without a proxy nobody waits for an answer.
      return false;
    }
  }

  #changed(pod: LocalPod): void {
    if (pod.state === 'ready') {
      this.#failedStarts = 0;
      this.#proxy.add(pod.name, pod.ports!.port);
    } else if (pod.state === 'gone') {
      // One that ended in order has answered all that it had; those answers may be on their way, or held back as if it still worked on them.
      if (!isOrderly(pod)) this.#proxy.lose(pod.name);
      this.#replace(pod);
    } else if (pod.state !== 'starting') this.#proxy.remove(pod.name);
  }

  #replace(pod: LocalPod): void {
    if (this.#stopping) return;
    if (!pod.everReady && pod.exit && pod.states.every(({ state }) => state !== 'draining')) this.#failedStarts += 1;
    if (this.#failedStarts < MOST_FAILED_STARTS) {
      this.#settle(`${pod.name} is gone`);
      return;
    }
    this.#stopping = true;
    const told = pod.complaints.slice(-MOST_TOLD).join('\n');
    this.#failure.reject(
      new KedgeError('model-not-ready', `${MOST_FAILED_STARTS} pods in a row ended before they were ready:\n${told}`),
    );
  }
}

function isOrderly({ states, exit }: LocalPod): boolean {
  return exit?.code === 0 && states.some(({ state }) => state === 'draining');
}
