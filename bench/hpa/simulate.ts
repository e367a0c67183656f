import { Fleet, type PodTimes } from './fleet.ts';
import { metricNow, type PolicyMetric, type Reading } from './observe.ts';
import type { Pod, PodMetric } from './pods.ts';
import { type Decision, type HpaState, NEW_HPA, reconcile } from './reconcile.ts';
import { type ControllerFlags, DEFAULT_FLAGS, type HpaSpec, toleranceOf, type WrittenBehavior } from './spec.ts';

export interface SimulateOptions {
  spec: HpaSpec;
  /** As it is written, for its tolerances; `spec.behavior` is the same with all defaults. */
  behavior?: WrittenBehavior | null;
  metrics: readonly PolicyMetric[];
  flags?: Partial<ControllerFlags>;
  seconds: number;
  /** Requests under way in all, at a second. */
  load: (second: number) => number;
  /**
   * What a metric reads in all, in thousandths, and undefined where its API does not answer. For a utilization, a thousand is all that one pod
   * requests. Default: a thousand for each request under way.
   */
  signal?: (metric: PolicyMetric, moment: { at: number; load: number; ready: number }) => number | undefined;
  /** Replicas at the start, ready for an hour. Default: the least that the HPA allows. */
  replicas?: number;
  /** Default: running after 1 s, ready 3 s later, drained in 5 s. */
  pods?: Partial<PodTimes>;
  /** Seconds from one tick to the next; syncs have a tick of their own in any case. Default: the period of syncs. */
  stepSeconds?: number;
}

/** What stands at one moment of a simulated run. Between syncs nothing is decided. */
export interface SimulatedTick {
  at: number;
  load: number;
  /** `spec.replicas` before the sync of this moment, if there is one. */
  current: number;
  /** `spec.replicas` after it. */
  desired: number;
  /** Pods that take load; counted before the sync, as all that follows. */
  ready: number;
  starting: number;
  draining: number;
  /** Infinite where there is load and nobody to take it. */
  inFlightPerPod: number;
  decision: Decision | undefined;
}

const TIMES: PodTimes = { running: 1, ready: 3, drain: 5 };

/** Seconds that a sample covers. */
const WINDOW = 15;

/**
 * An HPA and the pods that it scales, from the second 0 on, without waiting: the first sync is at 0. The load is shared evenly among the pods that are
 * ready. Nothing is random: the same options give the same ticks.
 */
export function* simulate(options: SimulateOptions): Generator<SimulatedTick, void, void> {
  const { seconds, load } = options;
  const flags = { ...DEFAULT_FLAGS, ...options.flags };
  const replicas = options.replicas ?? Math.max(1, options.spec.minReplicas);
  const fleet = new Fleet({ ...TIMES, ...options.pods }, { replicas, age: 3600, now: 0 });
  const step = options.stepSeconds ?? flags.syncPeriodSeconds;
  let current = replicas;
  let state: HpaState = NEW_HPA;
  for (const { at, isSync } of moments(seconds, step, flags.syncPeriodSeconds)) {
    const moment = { at, load: load(at), ready: fleet.ready(at) };
    const draining = fleet.draining(at);
    const starting = fleet.replicas - moment.ready;
    const decision = isSync ? decide(options, { flags, fleet, state, current, moment }) : undefined;
    const desired = decision?.desired ?? current;
    const inFlightPerPod = moment.load === 0 ? 0 : moment.load / moment.ready;
    yield { ...moment, current, desired, starting, draining, inFlightPerPod, decision };
    if (desired !== current) fleet.scale(desired, at);
    state = decision?.state ?? state;
    current = desired;
  }
}

/** Steps and syncs in the order of time, each moment once. */
function* moments(seconds: number, step: number, period: number): Generator<{ at: number; isSync: boolean }> {
  for (let steps = 0, syncs = 0; ; ) {
    const at = Math.min(steps * step, syncs * period);
    if (at > seconds) return;
    const isSync = at === syncs * period;
    yield { at, isSync };
    if (at === steps * step) steps += 1;
    if (isSync) syncs += 1;
  }
}

interface Now {
  flags: ControllerFlags;
  fleet: Fleet;
  state: HpaState;
  current: number;
  moment: { at: number; load: number; ready: number };
}

function decide(options: SimulateOptions, { flags, fleet, state, current, moment }: Now): Decision {
  const { spec, behavior, metrics } = options;
  const pods = fleet.pods(moment.at);
  const seen = { current, statusReplicas: fleet.replicas, pods, tolerance: toleranceOf(behavior, flags), flags };
  return reconcile(state, {
    spec,
    current,
    metrics: metrics.map((metric) => metricNow(metric, readingOf(metric, options, pods, moment), seen)),
    downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
    now: moment.at,
  });
}

function readingOf(
  metric: PolicyMetric,
  { signal }: SimulateOptions,
  pods: readonly Pod[],
  moment: Now['moment'],
): Reading | undefined {
  if (!signal && metric.target.type === 'Utilization') {
    throw new TypeError(`what does a request under way cost of ${metric.name}? Give a signal`);
  }
  const total = signal ? signal(metric, moment) : moment.load * 1000;
  if (total === undefined) return undefined;
  if (metric.kind === 'Object' || metric.kind === 'External') return { total: Math.round(total) };
  const share = Math.floor(total / moment.ready);
  const running = pods.filter(({ phase }) => phase === 'Running');
  // One that is not ready yet answers that it does nothing.
  const sampleOf = ({ ready, deleting }: Pod): PodMetric => ({
    value: ready && !deleting ? share : 0,
    age: 0,
    window: WINDOW,
  });
  return {
    samples: new Map(running.map((pod) => [pod.name, sampleOf(pod)])),
    requests: new Map(pods.map(({ name }) => [name, 1000])),
  };
}
