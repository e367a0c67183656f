import type { PolicyMetric } from '../hpa/observe.ts';
import { type SimulateOptions, simulate } from '../hpa/simulate.ts';
import { behaviorOf, DEFAULT_FLAGS, type WrittenBehavior } from '../hpa/spec.ts';
import { type Curve, inFlightAt, type Objective, p99At } from './curve.ts';

/** What an autoscaler is told. */
export interface Plan {
  /** Requests under way for each pod: `averageValue` or `threshold`. */
  target: number;
  minReplicas: number;
  maxReplicas: number;
}

/** What the plan is for: the load, one pod, and what surrounds it. Times in seconds. */
export interface Fleet {
  curve: Curve;
  /** Requests a second, one for each step. */
  rates: Float64Array;
  /** The sync period is a multiple of it. */
  stepSeconds: number;
  /** From when the autoscaler asks for a pod until it answers. */
  podStartSeconds: number;
  /** From when a pod is told to go until it is gone: it takes nothing more, and is paid for. */
  drainSeconds: number;
  /** The metric is the average number under way over such a window. */
  metricWindowSeconds: number;
  /** And so old when the autoscaler sees it. */
  metricDelaySeconds: number;
  /** Pods let requests wait for so long; what would wait longer is refused. */
  queueSeconds: number;
  syncSeconds: number;
  /** Undefined takes the older path of the controller, without policies. */
  behavior: WrittenBehavior | undefined;
}

export interface Outcome {
  /** Pods that exist, whether they answer or not, times hours. */
  podHours: number;
  /** Of the time, in which the objective held: latency or number under way within it, and nothing refused. */
  keptShare: number;
  /** Of all requests. */
  refusedShare: number;
  worstP99Ms: number;
  /** Most that were asked for at once. */
  peakReplicas: number;
  /** The run was left off: it misses its objective or is too dear, whatever comes. Figures are then of the part that was run. */
  leftOff: boolean;
}

export interface Limits {
  /** Leave off once the objective cannot be kept any more. */
  whileKept?: boolean;
  /** Leave off once it costs so much. */
  podHours?: number | undefined;
  /** Told of each step, for charts. */
  each?: (step: number, replicas: number, ready: number) => void;
}

const MILLI = 1_000;
const HOUR_SECONDS = 3_600;
/** One number for all pods that is shared among them, as KEDA has it. */
const CONCURRENCY = { kind: 'External', name: 'concurrency' } as const satisfies Partial<PolicyMetric>;

/**
 * Runs a plan over a load, with the arithmetic of the HPA controller. Load is shared evenly by the pods that are ready, and pods are counted and never looked at
 * one by one: a run costs as much for ten thousand pods as for ten. Beyond what the pods can answer, requests wait; none is refused before
 * the queue is full. It begins as if the first rate had stood for long.
 */
export function runPlan(plan: Plan, fleet: Fleet, objective: Objective, limits: Limits = {}): Outcome {
  const { rates, stepSeconds } = fleet;
  const [missable, mostHours] = [
    limits.whileKept ? missableSteps(rates.length, objective) : Number.POSITIVE_INFINITY,
    limits.podHours ?? Number.POSITIVE_INFINITY,
  ];
  const queue = new Queue(fleet);
  const metric = new InFlight(fleet);
  const sums = { step: 0, missed: 0, worstP99Ms: 0, podSeconds: 0, peakReplicas: 0 };
  const signal = (): number | undefined => (metric.seen === undefined ? undefined : MILLI * metric.seen);
  for (const { current, desired, ready, draining } of simulate(simulationOf(plan, fleet, signal))) {
    if (sums.missed > missable || sums.podSeconds / HOUR_SECONDS > mostHours) break;
    const { p99Ms, inFlight, refuses } = queue.pass(rates[sums.step]!, ready);
    metric.add(inFlight);
    sums.worstP99Ms = Math.max(sums.worstP99Ms, p99Ms);
    if (refuses || !holds(objective, p99Ms, inFlight / ready)) sums.missed += 1;
    const replicas = Math.max(current, desired);
    sums.podSeconds += (replicas + draining) * stepSeconds;
    sums.peakReplicas = Math.max(sums.peakReplicas, replicas);
    limits.each?.(sums.step, desired, ready);
    sums.step += 1;
  }
  return {
    podHours: sums.podSeconds / HOUR_SECONDS,
    keptShare: sums.step === 0 ? 1 : 1 - sums.missed / sums.step,
    refusedShare: queue.refusedShare,
    worstP99Ms: sums.worstP99Ms,
    peakReplicas: sums.peakReplicas,
    leftOff: sums.step < rates.length || sums.missed > missable,
  };
}

function simulationOf(plan: Plan, fleet: Fleet, signal: () => number | undefined): SimulateOptions {
  const { behavior, rates, stepSeconds } = fleet;
  const { target, minReplicas, maxReplicas } = plan;
  return {
    spec: { minReplicas, maxReplicas, behavior: behaviorOf(behavior, DEFAULT_FLAGS) },
    behavior: behavior ?? null,
    metrics: [{ ...CONCURRENCY, target: { type: 'AverageValue', milli: Math.round(target * MILLI) } }],
    flags: { syncPeriodSeconds: fleet.syncSeconds },
    seconds: (rates.length - 1) * stepSeconds,
    load: (second) => rates[Math.round(second / stepSeconds)] ?? 0,
    signal,
    replicas: restingReplicas(plan, fleet),
    pods: { running: 0, ready: fleet.podStartSeconds, drain: fleet.drainSeconds },
    stepSeconds,
  };
}

/** How many steps may miss an objective that still holds for its share of the time. */
export function missableSteps(steps: number, { share }: Objective): number {
  // A share such as 0.9 of 10 steps leaves one, whatever floating point makes of it.
  return Math.floor(steps * (1 - share) + 1e-9);
}

function holds({ p99Ms, inFlight }: Objective, measuredP99Ms: number, measuredInFlight: number): boolean {
  return (p99Ms === undefined || measuredP99Ms <= p99Ms) && (inFlight === undefined || !(measuredInFlight > inFlight));
}

/** The least number that the target asks for at the first rate, once all has come to rest. */
function restingReplicas({ target, minReplicas, maxReplicas }: Plan, { curve, rates }: Fleet): number {
  const rate = rates[0] ?? 0;
  const rests = (replicas: number): boolean =>
    rate / replicas <= curve.capacity && inFlightAt(curve, rate / replicas) <= target;
  let [low, high] = [minReplicas, maxReplicas];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (rests(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What waits in front of all pods together. */
class Queue {
  readonly #fleet: Fleet;
  #waiting = 0;
  #asked = 0;
  #refused = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** One step at a rate, by so many pods. */
  pass(rate: number, pods: number): { p99Ms: number; inFlight: number; refuses: boolean } {
    const { curve, stepSeconds, queueSeconds } = this.#fleet;
    const capacity = pods * curve.capacity;
    const answered = Math.min(rate + this.#waiting / stepSeconds, capacity);
    const left = this.#waiting + (rate - answered) * stepSeconds;
    this.#waiting = Math.min(left, capacity * queueSeconds);
    this.#refused += left - this.#waiting;
    this.#asked += rate * stepSeconds;
    const each = pods === 0 ? 0 : answered / pods;
    return {
      p99Ms: p99At(curve, each) + (capacity === 0 ? 0 : (MILLI * this.#waiting) / capacity),
      inFlight: pods * inFlightAt(curve, each) + this.#waiting,
      refuses: left > this.#waiting,
    };
  }

  get refusedShare(): number {
    return this.#asked === 0 ? 0 : this.#refused / this.#asked;
  }
}

/** The number under way as a Prometheus rate over a window tells it, some time later. */
class InFlight {
  /** Of all steps before each. */
  readonly #sums: Float64Array;
  readonly #windowSteps: number;
  readonly #delaySteps: number;
  #steps = 0;

  constructor({ rates, stepSeconds, metricWindowSeconds, metricDelaySeconds }: Fleet) {
    this.#sums = new Float64Array(rates.length + 1);
    this.#windowSteps = Math.max(1, Math.round(metricWindowSeconds / stepSeconds));
    this.#delaySteps = Math.round(metricDelaySeconds / stepSeconds);
  }

  add(inFlight: number): void {
    this.#sums[this.#steps + 1] = this.#sums[this.#steps]! + inFlight;
    this.#steps += 1;
  }

  /** Before a whole window was seen, of what there is; undefined before the first step. */
  get seen(): number | undefined {
    if (this.#steps === 0) return undefined;
    const end = Math.max(1, this.#steps - this.#delaySteps);
    const from = Math.max(0, end - this.#windowSteps);
    return (this.#sums[end]! - this.#sums[from]!) / (end - from);
  }
}
