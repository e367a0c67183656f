import { KedgeError } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { monotonicMs } from '../cluster/monotonic.ts';
import type { PodTimes } from '../cluster/pod.ts';
import type { Capacity } from '../cluster/proxy/capacity.ts';
import type { HoldingTerms } from '../cluster/proxy/holding.ts';
import type { ProxyStats } from '../cluster/proxy/proxy.ts';
import { type RunClock, startRunClock } from '../cluster/run-clock.ts';
import type { Interceptor } from '../hpa/interceptor.ts';
import type { ControllerFlags } from '../hpa/spec.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadOptions, LoadRequest } from '../load/load-options.ts';
import { durationOf, type Schedule } from '../load/schedule.ts';
import type { Look } from '../load/tally.ts';
import { secondsText } from '../report/format.ts';
import type { LoadRecord, PodRecord, ScalingTick, ZeroRecord } from '../report/record.ts';
import { type Fault, runFaults } from './faults.ts';
import { badExits, podRecords } from './pod-records.ts';
import type { LocalPolicy } from './policy.ts';
import { Watch } from './signals/watch.ts';
import { Syncs } from './syncs.ts';
import type { LoadTarget } from './target.ts';
import { InterceptorWatch } from './zero/interceptor-watch.ts';
import { zeroRecordOf } from './zero/wakings.ts';

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
  /** Where requests are held while no pod is ready. */
  zero?: ZeroRecord;
}

/** How often the add-on's scaler asks interceptors for their counts (KEDA_HTTP_QUEUE_TICK_DURATION), and then tells KEDA of activity. */
const PUSH_SECONDS = 0.5;

/**
 * One run over pods of this machine: as many as the policy has at least, then load, and the controller at each sync. Where the policy goes to zero, it
 * begins there: the one pod that told what can be asked was put to sleep again.
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
    holding: policy.interceptor && holdingOf(policy.interceptor),
    ...(times && { times }),
    ...(env && { env }),
  });
  try {
    cluster.scale(Math.max(1, policy.least), 'the run begins');
    await cluster.untilReady(hooks);
    const sent = await target.requests(cluster.url);
    if (policy.least === 0) await cluster.sleep('the run begins with no pod');
    const result = await drive({ cluster, clock, sent }, options, hooks);
    if (!hooks.signal.aborted) await cluster.drain();
    return { ...result, badExits: badExits(cluster.allPods) };
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

function holdingOf({ maxPending, readinessSeconds }: Interceptor): HoldingTerms {
  return { maxPending, readinessMs: readinessSeconds === undefined ? undefined : readinessSeconds * 1_000 };
}

interface Started {
  cluster: LocalCluster;
  clock: RunClock;
  sent: readonly LoadRequest[];
}

async function drive(
  { cluster, clock, sent }: Started,
  options: LocalRunOptions,
  hooks: RunHooks,
): Promise<Omit<LocalRunResult, 'badExits'>> {
  const { load, flags, compression, scrapeSeconds, requests, policy } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([hooks.signal, over.signal]);
  const proxyStats = (): Promise<ProxyStats> => cluster.proxyStats();
  const lookSeconds = policy.keda?.active.some(({ pushed }) => pushed) ? PUSH_SECONDS : scrapeSeconds;
  const interceptor = policy.interceptor && new InterceptorWatch({ clock, lookSeconds, proxyStats });
  const watch = new Watch({
    clock,
    scrapeSeconds,
    windowSeconds: policy.windowSeconds,
    requests: { cpu: requests.cpuCores * 1_000, memory: requests.memoryBytes * 1_000 },
    pods: () => cluster.pods,
    proxyStats,
    pending: () => interceptor?.pending,
  });
  const watching = watch.run(signal);
  // A cluster that was there before the load has metrics of it.
  await clock.sleep(2.2 * scrapeSeconds, signal);
  await interceptor?.look();
  const seconds = durationOf(load.schedule);
  let zero = clock.now();
  const syncs = new Syncs({
    policy,
    flags,
    cluster,
    now: clock.now,
    zero: () => zero,
    readings: () => policy.metrics.map((metric, index) => watch.reading(metric, policy.measures[index]!)),
    held: () => interceptor?.held,
  });
  let looks: Look[] = [];
  const tell = (tick: ScalingTick | undefined): void => {
    if (!tick) return;
    hooks.onTick(tick, looks);
    looks = [];
  };
  const others: Promise<void>[] = [];
  const driving = driveLoad(
    { ...load, url: cluster.url, requests: sent, compression, coarse: true },
    {
      signal,
      onLook: (seen) => void looks.push(seen),
      onBegin: (inMs) => {
        zero = clock.now() + (inMs / 1_000) * compression;
        const times = { clock, zero, signal };
        const isOn = (): boolean => clock.now() - zero < seconds;
        others.push(every(flags.syncPeriodSeconds, { ...times, isOn }, () => tell(syncs.sync())));
        if (interceptor) others.push(interceptor.run(signal, () => tell(syncs.keda('push'))));
        // What is held at the end of the load is still to be answered.
        const { activation } = policy;
        if (activation) others.push(every(activation.pollingSeconds, times, () => tell(syncs.keda('poll'))));
        others.push(runFaults(options.faults ?? [], { ...times, pods: () => cluster.pods, tell: hooks.tell }));
      },
    },
  );
  try {
    const record = await Promise.race([driving, cluster.failure]);
    await watch.look();
    const proxy = await cluster.proxyStats();
    const [clockNow, proxyNow] = [clock.now(), monotonicMs()];
    const toRun = (ms: number): number => clockNow - zero - ((proxyNow - ms) / 1_000) * compression;
    const series = interceptor?.series.map(([at, count]) => [at - zero, count] as const) ?? [];
    const facts = { toRun, series, startDelay: options.times?.startDelay ?? 0 };
    return {
      load: record,
      // What KEDA still did for the last requests is not of the run.
      ticks: syncs.ticks.filter(({ at }) => at <= seconds),
      pods: podRecords(cluster.allPods, watch, zero),
      proxy,
      ...(proxy.holding && { zero: zeroRecordOf(proxy.holding, syncs.ticks, facts) }),
    };
  } finally {
    over.abort();
    await Promise.allSettled([driving, watching, ...others]);
  }
}

interface Times {
  clock: RunClock;
  zero: number;
  signal: AbortSignal;
  /** Whether to go on; until the signal aborts if absent. */
  isOn?(): boolean;
}

/** Acts from the run's second 0 on. A controller waits for a period after each time, so that two are never closer together. */
async function every(
  period: number,
  { clock, zero, signal, isOn = () => true }: Times,
  act: () => void,
): Promise<void> {
  await clock.sleep(zero - clock.now(), signal);
  if (signal.aborted) return;
  do {
    act();
    await clock.sleep(period, signal);
  } while (!signal.aborted && isOn());
}
