import { KedgeError } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import type { PodTimes } from '../cluster/pod.ts';
import type { Capacity } from '../cluster/proxy/capacity.ts';
import type { ProxyStats } from '../cluster/proxy/proxy.ts';
import { type RunClock, startRunClock } from '../cluster/run-clock.ts';
import type { ControllerFlags } from '../hpa/spec.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadOptions } from '../load/load-options.ts';
import { durationOf, type Schedule } from '../load/schedule.ts';
import type { Look } from '../load/tally.ts';
import { secondsText } from '../report/format.ts';
import type { LoadRecord, PodRecord, ScalingTick } from '../report/record.ts';
import { Controller } from './controller.ts';
import { type Fault, runFaults } from './faults.ts';
import type { LocalPolicy } from './policy.ts';
import { Watch } from './signals/watch.ts';
import type { LoadTarget } from './target.ts';

export interface LocalRunOptions {
  policy: LocalPolicy;
  flags: ControllerFlags;
  target: LoadTarget;
  load: Pick<LoadOptions, 'schedule' | 'seed' | 'maxOutstanding' | 'timeoutMs'>;
  compression: number;
  scrapeSeconds: number;
  /** What a pod is taken to request, where a metric is a share of it. */
  requests: { cpuCores: number; memoryBytes: number };
  capacity?: Capacity | undefined;
  times?: Partial<PodTimes>;
  faults?: readonly Fault[];
  /** More settings of the servers. */
  env?: Record<string, string>;
  /** The `kedge` that pods run; this one if absent. */
  program?: string | undefined;
}

export interface RunHooks {
  signal: AbortSignal;
  /** Told of each sync, with the looks at the load since the last one. */
  onTick(tick: ScalingTick, looks: readonly Look[]): void;
  /** Told of what else happens, in words. */
  tell(line: string): void;
}

export interface LocalRunResult {
  load: LoadRecord;
  ticks: ScalingTick[];
  pods: PodRecord[];
  proxy: ProxyStats;
  /** Pods that had come to be ready, and did not end with exit code 0 when they were drained. */
  badExits: string[];
}

/**
 * One run over pods of this machine: as many as the policy has at least, then load, and the controller at each sync.
 * @throws KedgeError `config-invalid` for a load that is shorter than a sync of the autoscaler; `model-not-ready` where pods do not come to be ready
 */
export async function runLocally(options: LocalRunOptions, hooks: RunHooks): Promise<LocalRunResult> {
  checkLength(options.load.schedule, { name: '--sync', seconds: options.flags.syncPeriodSeconds });
  const { policy, target, compression, capacity, times, env, program } = options;
  const clock = startRunClock(compression, { now: () => performance.now(), sleep: systemClock.sleep });
  const cluster = await LocalCluster.start({
    volume: target.volume,
    clock,
    capacity,
    program,
    ...(times && { times }),
    ...(env && { env }),
  });
  try {
    cluster.scale(policy.spec.minReplicas, 'the run begins');
    await cluster.untilReady(hooks);
    const result = await drive(cluster, clock, options, hooks);
    if (!hooks.signal.aborted) await cluster.drain();
    return { ...result, badExits: badExits(cluster) };
  } finally {
    await cluster.stop();
  }
}

/** A load that is over before the second look at it proves nothing of an autoscaler. @throws KedgeError `config-invalid` */
export function checkLength(schedule: Schedule, look: { name: '--sync' | '--look'; seconds: number }): void {
  const seconds = durationOf(schedule);
  if (seconds >= look.seconds) return;
  throw new KedgeError(
    'config-invalid',
    `A load of ${secondsText(seconds)} is over before its autoscaler is looked at twice: it must last the ${secondsText(look.seconds)} of ${look.name} at least. Lengthen --load, or shorten ${look.name}.`,
  );
}

async function drive(
  cluster: LocalCluster,
  clock: RunClock,
  options: LocalRunOptions,
  hooks: RunHooks,
): Promise<Omit<LocalRunResult, 'badExits'>> {
  const { load, target, compression, scrapeSeconds, requests, policy } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([hooks.signal, over.signal]);
  const watch = new Watch({
    clock,
    scrapeSeconds,
    windowSeconds: policy.windowSeconds,
    requests: { cpu: requests.cpuCores * 1_000, memory: requests.memoryBytes * 1_000 },
    pods: () => cluster.pods,
    proxyStats: () => cluster.proxyStats(),
  });
  const sent = await target.requests(cluster.url);
  const watching = watch.run(signal);
  // A cluster that was there before the load has metrics of it.
  await clock.sleep(2.2 * scrapeSeconds, signal);
  const run = new Syncs(cluster, clock, watch, options);
  const others: Promise<void>[] = [];
  let looks: Look[] = [];
  const loop = async (zero: number): Promise<void> => {
    await clock.sleep(zero - clock.now(), signal);
    if (signal.aborted) return;
    do {
      hooks.onTick(run.sync(zero), looks);
      looks = [];
      // The controller waits for a period after each sync, so that two are never closer together.
      await clock.sleep(options.flags.syncPeriodSeconds, signal);
    } while (!signal.aborted && clock.now() - zero < durationOf(load.schedule));
  };
  let zero: number | undefined;
  const driving = driveLoad(
    { ...load, url: cluster.url, requests: sent, compression, coarse: true },
    {
      signal,
      onLook: (seen) => void looks.push(seen),
      onBegin: (inMs) => {
        zero = clock.now() + (inMs / 1_000) * compression;
        others.push(loop(zero));
        const context = { clock, zero, signal, pods: () => cluster.pods, tell: hooks.tell };
        others.push(runFaults(options.faults ?? [], context));
      },
    },
  );
  try {
    const record = await Promise.race([driving, cluster.failure]);
    await watch.look();
    const pods = cluster.allPods.map(({ name, states }) => podRecord(name, states, watch, zero ?? 0));
    return { load: record, ticks: run.ticks, pods, proxy: await cluster.proxyStats() };
  } finally {
    over.abort();
    await Promise.allSettled([driving, watching, ...others]);
  }
}

/** The controller at work: reads metrics, decides, has the cluster follow. */
class Syncs {
  readonly ticks: ScalingTick[] = [];
  readonly #cluster: LocalCluster;
  readonly #clock: RunClock;
  readonly #watch: Watch;
  readonly #policy: LocalPolicy;
  readonly #controller: Controller;

  constructor(cluster: LocalCluster, clock: RunClock, watch: Watch, { policy, flags }: LocalRunOptions) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#watch = watch;
    this.#policy = policy;
    this.#controller = new Controller(policy, flags);
  }

  sync(zero: number): ScalingTick {
    const { metrics, measures } = this.#policy;
    const decided = this.#controller.sync({
      now: this.#clock.now(),
      replicas: this.#cluster.replicas,
      pods: this.#cluster.pods,
      readings: metrics.map((metric, index) => this.#watch.reading(metric, measures[index]!)),
    });
    if (decided.desired !== decided.current) this.#cluster.scale(decided.desired, 'scaled down');
    const tick = { ...decided, at: rounded(decided.at - zero) };
    this.ticks.push(tick);
    return tick;
  }
}

/** What came before the load began is told as of its beginning. */
function podRecord(name: string, states: PodRecord['states'], watch: Watch, zero: number): PodRecord {
  const moved = states.map((one) => ({ ...one, at: rounded(Math.max(0, one.at - zero)) }));
  const before = moved.findLastIndex(({ at }) => at === 0);
  const averages = watch.seriesOf(name)?.averages() ?? [];
  return {
    name,
    states: moved.slice(Math.max(0, before)),
    inFlight: averages
      .filter(([at]) => at >= zero)
      .map(([at, average]) => [rounded(at - zero), rounded(average)] as const),
  };
}

function badExits({ allPods }: LocalCluster): string[] {
  return allPods
    .filter(
      ({ everReady, states, exit }) =>
        everReady && states.some(({ state }) => state === 'draining') && exit?.code !== 0,
    )
    .map(({ name, exit }) => `${name} was drained and ended with ${exit?.signal ?? `exit code ${exit?.code}`}`);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
