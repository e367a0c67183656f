import { activate, fallBack } from './activation.ts';
import { Fleet, type PodTimes } from './fleet.ts';
import type { Activation } from './keda.ts';
import { metricNow, type PolicyMetric, type Reading } from './observe.ts';
import type { Pod, PodMetric } from './pods.ts';
import { type Decision, type HpaState, NEW_HPA, reconcile } from './reconcile.ts';
import { type ControllerFlags, DEFAULT_FLAGS, type HpaSpec, toleranceOf, type WrittenBehavior } from './spec.ts';

export interface SimulateOptions {
  spec: HpaSpec;
  /** As it is written, for its tolerances; `spec.behavior` is the same with all defaults. */
  behavior?: WrittenBehavior | null;
  metrics: readonly PolicyMetric[];
  /** KEDA beside the HPA, which takes the replicas to zero and back and stands in for triggers that fail. */
  keda?: Activation | undefined;
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
  /** Seconds from one tick to the next; syncs and polls of KEDA have a tick of their own in any case. Default: the period of syncs. */
  stepSeconds?: number;
}

/** What stands at one moment of a simulated run. Between syncs nothing is decided. */
export interface SimulatedTick {
  at: number;
  load: number;
  /** `spec.replicas` before this moment's sync, if there is one, and before what KEDA does. */
  current: number;
  /** `spec.replicas` after that. */
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
  const sync = flags.syncPeriodSeconds;
  const periods = [options.stepSeconds ?? sync, sync, options.keda?.pollingSeconds ?? sync];
  let current = replicas;
  let state: HpaState = NEW_HPA;
  let lastActiveAt: number | undefined;
  const failures = new Map<PolicyMetric, number>();
  for (const { at, due } of moments(seconds, periods)) {
    const moment = { at, load: load(at), ready: fleet.ready(at) };
    const draining = fleet.draining(at);
    const starting = fleet.replicas - moment.ready;
    let desired = current;
    if (options.keda && due[2]) {
      const poll = { activation: options.keda, values: externals(options, moment), now: at, lastActiveAt };
      ({ desired, lastActiveAt } = activate({ ...poll, current }));
      fleet.scale(desired, at);
    }
    const decision = due[1] ? decide(options, { flags, fleet, state, failures, current: desired, moment }) : undefined;
    desired = decision?.desired ?? desired;
    const inFlightPerPod = moment.load === 0 ? 0 : moment.load / moment.ready;
    yield { ...moment, current, desired, starting, draining, inFlightPerPod, decision };
    fleet.scale(desired, at);
    state = decision?.state ?? state;
    current = desired;
  }
}

/** The times at which any of several clocks ticks, each once and in order, and which of them tick then. */
function* moments(seconds: number, periods: readonly number[]): Generator<{ at: number; due: boolean[] }> {
  const ticks = periods.map(() => 0);
  for (;;) {
    const next = periods.map((period, index) => period * ticks[index]!);
    const at = Math.min(...next);
    if (at > seconds) return;
    const due = next.map((one) => one === at);
    yield { at, due };
    due.forEach((isDue, index) => {
      if (isDue) ticks[index]! += 1;
    });
  }
}

function externals(options: SimulateOptions, moment: Now['moment']): Map<string, number | undefined> {
  const external = options.metrics.filter(({ kind }) => kind === 'External');
  return new Map(external.map((metric) => [metric.name, totalOf(metric, options, moment)]));
}

interface Now {
  flags: ControllerFlags;
  fleet: Fleet;
  state: HpaState;
  /** Syncs in a row that a metric failed at. */
  failures: Map<PolicyMetric, number>;
  current: number;
  moment: { at: number; load: number; ready: number };
}

function decide(options: SimulateOptions, now: Now): Decision {
  const { spec, behavior, metrics } = options;
  const { flags, fleet, state, current, moment } = now;
  const pods = fleet.pods(moment.at);
  const seen = { current, statusReplicas: fleet.replicas, pods, tolerance: toleranceOf(behavior, flags), flags };
  return reconcile(state, {
    spec,
    current,
    metrics: metrics.map((metric) => metricNow(metric, readingOf(metric, options, pods, now), seen)),
    downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
    now: moment.at,
  });
}

function readingOf(
  metric: PolicyMetric,
  options: SimulateOptions,
  pods: readonly Pod[],
  { moment, failures, current }: Now,
): Reading | undefined {
  const total = totalOf(metric, options, moment);
  if (metric.kind === 'Object' || metric.kind === 'External') {
    const failed = total === undefined ? (failures.get(metric) ?? 0) + 1 : 0;
    failures.set(metric, failed);
    const { target } = metric;
    const stated =
      total ?? fallBack(options.keda?.fallback, { target, failures: failed, current, ready: moment.ready });
    return stated === undefined ? undefined : { total: stated };
  }
  if (total === undefined) return undefined;
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

function totalOf(metric: PolicyMetric, { signal }: SimulateOptions, moment: Now['moment']): number | undefined {
  if (signal) {
    const total = signal(metric, moment);
    return total === undefined ? undefined : Math.round(total);
  }
  if (metric.target.type !== 'Utilization') return Math.round(moment.load * 1000);
  throw new TypeError(`what does a request under way cost of ${metric.name}? Give a signal`);
}
