import { NEW_HPA, reconcile } from '../hpa/reconcile.ts';
import { replicasByAverage } from '../hpa/replicas.ts';
import type { Behavior, Tolerance } from '../hpa/spec.ts';
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
  behavior: Behavior | undefined;
  tolerance: Tolerance;
  downscaleStabilizationSeconds: number;
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
  podHours?: number;
  /** Told of each step, for charts. */
  each?: (step: number, replicas: number, ready: number) => void;
}

const MILLI = 1_000;

/**
 * Runs a plan over a load, with the arithmetic of the HPA controller. Load is shared evenly by the pods that are ready, so they are counted and never looked at
 * one by one: a run costs as much for ten thousand pods as for ten. Beyond what the pods can answer, requests wait; none are refused before
 * the queue is full. It begins as if the first rate had stood for long.
 */
export function runPlan(plan: Plan, fleet: Fleet, objective: Objective, limits: Limits = {}): Outcome {
  const { curve, rates, stepSeconds } = fleet;
  const pods = new Pods(restingReplicas(plan, fleet), fleet);
  const missable = limits.whileKept ? missableSteps(rates.length, objective) : Number.POSITIVE_INFINITY;
  const metric = new InFlight(rates.length, fleet);
  const autoscaler = autoscalerOf(plan, fleet);
  const syncSteps = Math.max(1, Math.round(fleet.syncSeconds / stepSeconds));
  let [waiting, refused, asked, missed, worstP99Ms, podSeconds, peakReplicas] = [0, 0, 0, 0, 0, 0, pods.replicas];
  let step = 0;
  for (; step < rates.length; step += 1) {
    if (missed > missable || podSeconds / 3_600 > (limits.podHours ?? Number.POSITIVE_INFINITY)) break;
    pods.pass(step * stepSeconds);
    const rate = rates[step]!;
    const capacity = pods.ready * curve.capacity;
    const answered = Math.min(rate + waiting / stepSeconds, capacity);
    const left = waiting + (rate - answered) * stepSeconds;
    waiting = Math.min(left, capacity * fleet.queueSeconds);
    refused += left - waiting;
    asked += rate * stepSeconds;
    const each = pods.ready === 0 ? 0 : answered / pods.ready;
    const p99Ms = p99At(curve, each) + (capacity === 0 ? 0 : (MILLI * waiting) / capacity);
    const inFlight = pods.ready * inFlightAt(curve, each) + waiting;
    worstP99Ms = Math.max(worstP99Ms, p99Ms);
    if (left > waiting || !holds(objective, p99Ms, inFlight / pods.ready)) missed += 1;
    podSeconds += pods.paid * stepSeconds;
    metric.add(step, inFlight);
    limits.each?.(step, pods.replicas, pods.ready);
    if ((step + 1) % syncSteps === 0) {
      const now = (step + 1) * stepSeconds;
      pods.scaleTo(autoscaler(pods.replicas, metric.seenAfter(step), now), now);
      peakReplicas = Math.max(peakReplicas, pods.replicas);
    }
  }
  return {
    podHours: podSeconds / 3_600,
    keptShare: step === 0 ? 1 : 1 - missed / step,
    refusedShare: asked === 0 ? 0 : refused / asked,
    worstP99Ms,
    peakReplicas,
    leftOff: step < rates.length || missed > missable,
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

/** One metric for all pods, held against a target for each, as KEDA has it. */
function autoscalerOf(plan: Plan, fleet: Fleet): (current: number, inFlight: number, now: number) => number {
  let state = NEW_HPA;
  return (current, inFlight, now) => {
    const { behavior, tolerance, downscaleStabilizationSeconds } = fleet;
    const propose = () =>
      replicasByAverage({
        statusReplicas: current,
        usage: Math.round(inFlight * MILLI),
        target: Math.round(plan.target * MILLI),
        tolerance,
      });
    const decision = reconcile(state, {
      spec: { minReplicas: plan.minReplicas, maxReplicas: plan.maxReplicas, behavior },
      current,
      metrics: [{ kind: 'External', propose }],
      downscaleStabilizationSeconds,
      now,
    });
    state = decision.state;
    return decision.desired;
  };
}

/** The number under way as a Prometheus rate over a window tells it, some time later. */
class InFlight {
  readonly #sums: Float64Array;
  readonly #windowSteps: number;
  readonly #delaySteps: number;

  constructor(steps: number, { stepSeconds, metricWindowSeconds, metricDelaySeconds }: Fleet) {
    this.#sums = new Float64Array(steps + 1);
    this.#windowSteps = Math.max(1, Math.round(metricWindowSeconds / stepSeconds));
    this.#delaySteps = Math.round(metricDelaySeconds / stepSeconds);
  }

  add(step: number, inFlight: number): void {
    this.#sums[step + 1] = this.#sums[step]! + inFlight;
  }

  /** Before a whole window was seen, of what there is. */
  seenAfter(step: number): number {
    const end = Math.max(1, step + 1 - this.#delaySteps);
    const from = Math.max(0, end - this.#windowSteps);
    return (this.#sums[end]! - this.#sums[from]!) / (end - from);
  }
}

interface Cohort {
  pods: number;
  /** When its pods are ready, or gone. */
  at: number;
}

/** Pods by number: starting, ready, draining. Those that ask for the same at the same time are one cohort. */
class Pods {
  ready: number;
  readonly #startSeconds: number;
  readonly #drainSeconds: number;
  #starting: Cohort[] = [];
  #draining: Cohort[] = [];

  constructor(ready: number, { podStartSeconds, drainSeconds }: Fleet) {
    this.ready = ready;
    this.#startSeconds = podStartSeconds;
    this.#drainSeconds = drainSeconds;
  }

  /** As the autoscaler counts them. */
  get replicas(): number {
    return this.ready + sumOf(this.#starting);
  }

  get paid(): number {
    return this.replicas + sumOf(this.#draining);
  }

  pass(now: number): void {
    if (this.#starting.some(({ at }) => at <= now)) {
      this.ready += sumOf(this.#starting.filter(({ at }) => at <= now));
      this.#starting = this.#starting.filter(({ at }) => at > now);
    }
    if (this.#draining.some(({ at }) => at <= now)) this.#draining = this.#draining.filter(({ at }) => at > now);
  }

  /** A ReplicaSet takes away what is not ready first. */
  scaleTo(wanted: number, now: number): void {
    let surplus = this.replicas - wanted;
    if (surplus < 0) this.#starting.push({ pods: -surplus, at: now + this.#startSeconds });
    while (surplus > 0 && this.#starting.length > 0) {
      const youngest = this.#starting.at(-1)!;
      const taken = Math.min(surplus, youngest.pods);
      youngest.pods -= taken;
      surplus -= taken;
      if (youngest.pods === 0) this.#starting.pop();
    }
    if (surplus <= 0) return;
    this.ready -= surplus;
    this.#draining.push({ pods: surplus, at: now + this.#drainSeconds });
  }
}

function sumOf(cohorts: readonly Cohort[]): number {
  let sum = 0;
  for (const { pods } of cohorts) sum += pods;
  return sum;
}
