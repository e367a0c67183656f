import { isDeepStrictEqual } from 'node:util';
import { metricNow, type PolicyMetric } from './observe.ts';
import { groupPods, type Pod, type PodMetric } from './pods.ts';
import { limitByBehavior, limitWithoutBehavior, scaleUpLimit } from './rates.ts';
import { type Decision, type MetricNow, NEW_HPA, reconcile } from './reconcile.ts';
import { MetricUnusable, type PodsInput, type Proposal, replicasByPods } from './replicas.ts';
import { behaviorOf, type ControllerFlags, DEFAULT_FLAGS, toleranceOf, type WrittenBehavior } from './spec.ts';
import { type Recommendation, stabilizeByBehavior, stabilizeDown } from './stabilize.ts';

/** One recorded case of the HPA controller: inputs, the function of the controller that they are for, and what it answered. */
export interface HpaVector {
  name: string;
  fn: string;
  expected: Readonly<Record<string, unknown>>;
  metricType?: string | null;
  currentReplicas?: number | null;
  statusReplicas?: number;
  minReplicas?: number;
  maxReplicas?: number;
  prenormalizedDesiredReplicas?: number;
  pods?: readonly VectorPod[];
  podsWithMetric?: readonly string[];
  perPodValuesMilli?: readonly number[];
  metricValuesMilli?: readonly number[];
  perPodRequestsMilli?: readonly number[];
  target?: number;
  tolerance?: { up: number; down: number };
  config?: { cpuInitializationPeriodSec: number; initialReadinessDelaySec: number };
  behavior?: WrittenBehavior | null;
  scaleUpEvents?: readonly { change: number; ageSec: number }[];
  scaleDownEvents?: readonly { change: number; ageSec: number }[];
  recommendations?: readonly { rec: number; ageSec: number }[];
  downscaleStabilizationSec?: number;
  failingMetrics?: number;
  totalLoadMilli?: readonly (readonly [seconds: number, milli: number])[];
}

interface VectorPod {
  name: string;
  phase: Pod['phase'];
  ready: boolean;
  deleting: boolean;
  hasReadyCondition?: boolean;
  startAgeSec: number | null;
  lastTransitionAgeSec: number;
  metricAgeSec: number;
  metricWindowSec: number;
}

/** What of a vector does not come out; empty where all of it does. Each line names a field, what was wanted and what came. */
export function checkVector(vector: HpaVector): string[] {
  const run = RUNNERS[vector.fn];
  if (!run) return [`there is no function ${vector.fn}; known are ${Object.keys(RUNNERS).join(', ')}`];
  const { expected } = vector;
  const came = run(vector);
  return Object.entries(expected).flatMap(([key, wanted]) => {
    if (key in came && isDeepStrictEqual(came[key], wanted)) return [];
    return [`${key}: wanted ${JSON.stringify(wanted)}, came ${JSON.stringify(came[key])}`];
  });
}

type Came = Record<string, unknown>;

const RUNNERS: Readonly<Record<string, (vector: HpaVector) => Came>> = {
  GetResourceReplicas: (vector) => cameOf(proposalOf(vector)),
  GetMetricReplicas: (vector) => cameOf(proposalOf(vector)),
  GetObjectMetricReplicas: (vector) => cameOf(proposalOf(vector)),
  GetObjectPerPodMetricReplicas: (vector) => cameOf(proposalOf(vector)),
  GetExternalPerPodMetricReplicas: (vector) => cameOf(proposalOf(vector)),
  groupPods: (vector) => {
    const { pods, metrics, flags } = podsInput(vector);
    const sampled = new Map([...metrics].filter(([pod]) => vector.podsWithMetric?.includes(pod)));
    const isCpu = vector.metricType === 'Resource/cpu';
    const { readyCount, unready, missing, ignored } = groupPods(pods, sampled, { isCpu, flags });
    return { ready: readyCount, unready: [...unready], missing: [...missing], ignored: [...ignored] };
  },
  convertDesiredReplicasWithRules: ({ prenormalizedDesiredReplicas, currentReplicas, minReplicas, maxReplicas }) => ({
    ...limitWithoutBehavior(prenormalizedDesiredReplicas!, currentReplicas!, minReplicas!, maxReplicas!),
  }),
  convertDesiredReplicasWithBehaviorRate: (vector) => ({
    ...limitByBehavior(vector.prenormalizedDesiredReplicas!, vector.currentReplicas!, {
      min: vector.minReplicas!,
      max: vector.maxReplicas!,
      behavior: behaviorOf(vector.behavior, DEFAULT_FLAGS)!,
      events: eventsOf(vector),
    }),
  }),
  calculateScaleUpLimitWithScalingRules: (vector) => ({
    limit: scaleUpLimit(vector.currentReplicas!, behaviorOf(vector.behavior, DEFAULT_FLAGS)!.scaleUp, eventsOf(vector)),
  }),
  stabilizeRecommendation: (vector) => {
    const { replicas, recommendations } = stabilizeDown(
      vector.prenormalizedDesiredReplicas!,
      recommendationsOf(vector),
      vector.downscaleStabilizationSec!,
    );
    return { replicas, logLength: recommendations.length };
  },
  stabilizeRecommendationWithBehaviors: (vector) => {
    const behavior = behaviorOf(vector.behavior, DEFAULT_FLAGS)!;
    const current = vector.currentReplicas!;
    const desired = vector.prenormalizedDesiredReplicas!;
    const { replicas, recommendations } = stabilizeByBehavior(desired, current, recommendationsOf(vector), behavior);
    return { replicas, recommendationsAfter: recommendations.map((one) => one.replicas) };
  },
  reconcileAutoscaler: (vector) => {
    const decision = reconcileOnce(vector);
    return {
      replicas: decision.desired,
      error: decision.scalingActive?.startsWith('Failed') ?? false,
      ableToScale: decision.ableToScale,
      scalingActive: decision.scalingActive,
      scalingLimited: decision.scalingLimited,
    };
  },
  trace: (vector) => ({ steps: replayed(vector) }),
};

function cameOf({ replicas, usage, average }: Proposal): Came {
  return { replicas, usageMilli: usage, utilization: usage, rawMilli: average };
}

function proposalOf(vector: HpaVector): Proposal {
  const [kind, name, type = name] = vector.metricType!.split('/') as [MetricNow['kind'], string, string?];
  const target = vector.target!;
  const metric: PolicyMetric = {
    kind,
    name,
    target: type === 'Utilization' ? { type, percent: target } : { type: type as 'Value', milli: target },
  };
  const { currentReplicas: current, pods, metrics: samples, tolerance, flags } = podsInput(vector);
  const requested =
    vector.perPodRequestsMilli?.map((milli, index) => [vector.pods?.[index]?.name, milli] as const) ?? [];
  const requests = new Map(requested.filter((one): one is readonly [string, number] => one[0] !== undefined));
  const values = vector.metricValuesMilli;
  const reading = values ? { total: values.reduce((total, value) => total + value, 0) } : { samples, requests };
  const seen = { current, statusReplicas: vector.statusReplicas ?? current, pods, tolerance, flags };
  return metricNow(metric, reading, seen).propose();
}

function podsInput(vector: HpaVector): PodsInput {
  const flags = flagsOf(vector);
  const pods = (vector.pods ?? []).map(
    ({ name, phase, ready, deleting, hasReadyCondition, startAgeSec, lastTransitionAgeSec }): Pod => ({
      name,
      phase,
      deleting,
      ready: hasReadyCondition === false ? undefined : ready,
      startAge: startAgeSec ?? undefined,
      lastTransitionAge: lastTransitionAgeSec,
    }),
  );
  const sampled = vector.perPodValuesMilli ?? pods.map(() => 0);
  const metrics = new Map<string, PodMetric>(
    sampled.map((value, index) => {
      const { name, metricAgeSec = 0, metricWindowSec = 60 } = vector.pods?.[index] ?? { name: `no pod ${index}` };
      return [name, { value, age: metricAgeSec, window: metricWindowSec }];
    }),
  );
  const tolerance = vector.tolerance ?? toleranceOf(vector.behavior, flags);
  return { currentReplicas: vector.currentReplicas ?? 0, pods, metrics, tolerance, flags };
}

function flagsOf({ config, downscaleStabilizationSec }: HpaVector): ControllerFlags {
  const flags = { ...DEFAULT_FLAGS };
  if (config) {
    flags.cpuInitializationPeriodSeconds = config.cpuInitializationPeriodSec;
    flags.initialReadinessDelaySeconds = config.initialReadinessDelaySec;
  }
  flags.downscaleStabilizationSeconds = downscaleStabilizationSec ?? flags.downscaleStabilizationSeconds;
  return flags;
}

function eventsOf({ scaleUpEvents = [], scaleDownEvents = [] }: HpaVector) {
  const aged = (events: readonly { change: number; ageSec: number }[]) =>
    events.map(({ change, ageSec }) => ({ change, age: ageSec }));
  return { up: aged(scaleUpEvents), down: aged(scaleDownEvents) };
}

function recommendationsOf({ recommendations = [] }: HpaVector): Recommendation[] {
  return recommendations.map(({ rec, ageSec }) => ({ replicas: rec, age: ageSec }));
}

function reconcileOnce(vector: HpaVector): Decision {
  const kind = (vector.metricType?.split('/')[0] ?? 'Pods') as MetricNow['kind'];
  const failing: MetricNow = {
    kind: 'External',
    propose: () => {
      throw new MetricUnusable('the vector says that it fails');
    },
  };
  const flags = flagsOf(vector);
  // A vector always says what the controller remembers, be it nothing; one that never ran would remember the present number.
  const recommendations = recommendationsOf(vector).map(({ replicas, age }) => ({ replicas, at: -age }));
  return reconcile(
    { ...NEW_HPA, recommendations },
    {
      spec: {
        minReplicas: vector.minReplicas!,
        maxReplicas: vector.maxReplicas!,
        behavior: behaviorOf(vector.behavior, flags),
      },
      current: vector.currentReplicas!,
      metrics: [
        { kind, propose: () => proposalOf(vector) },
        ...new Array<MetricNow>(vector.failingMetrics ?? 0).fill(failing),
      ],
      downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
      now: 0,
    },
  );
}

/** Seconds between syncs in recorded runs. */
const TRACE_SYNC = 2;

/**
 * A recorded run of a real controller, played again. Its ticks are laid so that one falls on the first recorded step; a later step agrees when it
 * comes within one sync of the recorded one, and then stands in the result as it was recorded.
 */
function replayed(vector: HpaVector): unknown[] {
  const recorded = vector.expected.steps as { atSec: number; from: number; to: number }[];
  const load = vector.totalLoadMilli!;
  const flags = flagsOf(vector);
  const end = recorded.at(-1)!.atSec + 30;
  let current = vector.currentReplicas!;
  let state = NEW_HPA;
  const steps: unknown[] = [];
  for (let now = recorded[0]!.atSec % TRACE_SYNC; now < end; now += TRACE_SYNC) {
    const total = load.findLast(([at]) => at <= now)?.[1] ?? 0;
    const names = Array.from({ length: current }, (_, index) => `pod-${index}`);
    const pods = names.map(
      (name): Pod => ({ name, phase: 'Running', deleting: false, ready: true, startAge: 60, lastTransitionAge: 60 }),
    );
    const metrics = new Map(names.map((name) => [name, { value: total / current, age: 0, window: TRACE_SYNC }]));
    const input = { currentReplicas: current, pods, metrics, tolerance: vector.tolerance!, flags };
    const decision = reconcile(state, {
      spec: {
        minReplicas: vector.minReplicas!,
        maxReplicas: vector.maxReplicas!,
        behavior: behaviorOf(vector.behavior, flags),
      },
      current,
      metrics: [{ kind: 'Pods', propose: () => replicasByPods({ ...input, target: vector.target! }) }],
      downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
      now,
    });
    state = decision.state;
    if (decision.desired !== current) {
      const same = recorded[steps.length];
      const agrees = same?.from === current && same.to === decision.desired && Math.abs(same.atSec - now) <= TRACE_SYNC;
      steps.push(agrees ? same : { atSec: now, from: current, to: decision.desired });
    }
    current = decision.desired;
  }
  return steps;
}
