import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../contract/errors.ts';
import { type MetricTarget, metricNow, type PolicyMetric } from './observe.ts';
import { groupPods, type Pod } from './pods.ts';
import { limitByBehavior, limitWithoutBehavior, scaleUpLimit } from './rates.ts';
import { type Decision, type MetricNow, NEW_HPA, reconcile } from './reconcile.ts';
import { MetricUnusable, type Proposal } from './replicas.ts';
import { behaviorOf, DEFAULT_FLAGS, type WrittenBehavior } from './spec.ts';
import { stabilizeByBehavior, stabilizeDown } from './stabilize.ts';
import { eventsOf, flagsOf, podsInput, recommendationsOf } from './vectors-input.ts';
import { replayed } from './vectors-replay.ts';

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

/**
 * What of a vector does not come out; empty where all of it does. Each line names a field, what was wanted and what came; or why the case is none, as one that lacks what its
 * function needs, or expects nothing, and so would hold whatever came.
 */
export function checkVector(vector: HpaVector): string[] {
  const { fn, expected } = vector;
  const known = Object.hasOwn(RUNNERS, fn) ? RUNNERS[fn] : undefined;
  if (!known) return [`there is no function ${fn}; known are ${Object.keys(RUNNERS).join(', ')}`];
  if (!isPlain(expected) || Object.keys(expected).length === 0) return ['it expects nothing; say what must come out'];
  const missing = known.needs.filter((name) => vector[name] === undefined || vector[name] === null);
  if (missing.length > 0) return [`it lacks ${missing.join(', ')}, which ${fn} needs`];
  let came: Came;
  try {
    came = known.run(vector);
  } catch (error) {
    return [`it cannot be run: ${messageOf(error)}`];
  }
  return Object.entries(expected).flatMap(([key, wanted]) => {
    if (key in came && isDeepStrictEqual(came[key], wanted)) return [];
    return [`${key}: wanted ${JSON.stringify(wanted)}, came ${JSON.stringify(came[key])}`];
  });
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Came = Record<string, unknown>;

interface Runner {
  /** What a case must tell, besides its name and what it expects. */
  needs: readonly (keyof HpaVector)[];
  run(vector: HpaVector): Came;
}

const PROPOSAL: Runner = {
  needs: ['metricType', 'target'],
  run: (vector) => cameOf(proposalOf(vector)),
};

const RUNNERS: Readonly<Record<string, Runner>> = {
  GetResourceReplicas: PROPOSAL,
  GetMetricReplicas: PROPOSAL,
  GetObjectMetricReplicas: PROPOSAL,
  GetObjectPerPodMetricReplicas: PROPOSAL,
  GetExternalPerPodMetricReplicas: PROPOSAL,
  groupPods: {
    needs: ['pods', 'podsWithMetric'],
    run: (vector) => {
      const { pods, metrics, flags } = podsInput(vector);
      const sampled = new Map([...metrics].filter(([pod]) => vector.podsWithMetric?.includes(pod)));
      const isCpu = vector.metricType === 'Resource/cpu';
      const { readyCount, unready, missing, ignored } = groupPods(pods, sampled, { isCpu, flags });
      return { ready: readyCount, unready: [...unready], missing: [...missing], ignored: [...ignored] };
    },
  },
  convertDesiredReplicasWithRules: {
    needs: ['prenormalizedDesiredReplicas', 'currentReplicas', 'minReplicas', 'maxReplicas'],
    run: ({ prenormalizedDesiredReplicas, currentReplicas, minReplicas, maxReplicas }) => ({
      ...limitWithoutBehavior(prenormalizedDesiredReplicas!, currentReplicas!, minReplicas!, maxReplicas!),
    }),
  },
  convertDesiredReplicasWithBehaviorRate: {
    needs: ['prenormalizedDesiredReplicas', 'currentReplicas', 'minReplicas', 'maxReplicas', 'behavior'],
    run: (vector) => ({
      ...limitByBehavior(vector.prenormalizedDesiredReplicas!, vector.currentReplicas!, {
        min: vector.minReplicas!,
        max: vector.maxReplicas!,
        behavior: behaviorOf(vector.behavior, DEFAULT_FLAGS)!,
        events: eventsOf(vector),
      }),
    }),
  },
  calculateScaleUpLimitWithScalingRules: {
    needs: ['currentReplicas', 'behavior'],
    run: (vector) => ({
      limit: scaleUpLimit(
        vector.currentReplicas!,
        behaviorOf(vector.behavior, DEFAULT_FLAGS)!.scaleUp,
        eventsOf(vector),
      ),
    }),
  },
  stabilizeRecommendation: {
    needs: ['prenormalizedDesiredReplicas', 'downscaleStabilizationSec'],
    run: (vector) => {
      const { replicas, recommendations } = stabilizeDown(
        vector.prenormalizedDesiredReplicas!,
        recommendationsOf(vector),
        vector.downscaleStabilizationSec!,
      );
      return { replicas, logLength: recommendations.length };
    },
  },
  stabilizeRecommendationWithBehaviors: {
    needs: ['prenormalizedDesiredReplicas', 'currentReplicas', 'behavior'],
    run: (vector) => {
      const behavior = behaviorOf(vector.behavior, DEFAULT_FLAGS)!;
      const current = vector.currentReplicas!;
      const desired = vector.prenormalizedDesiredReplicas!;
      const { replicas, recommendations } = stabilizeByBehavior(desired, current, recommendationsOf(vector), behavior);
      return { replicas, recommendationsAfter: recommendations.map((one) => one.replicas) };
    },
  },
  reconcileAutoscaler: {
    needs: ['currentReplicas', 'minReplicas', 'maxReplicas', 'metricType', 'target'],
    run: (vector) => {
      const decision = reconcileOnce(vector);
      return {
        replicas: decision.desired,
        error: decision.scalingActive?.startsWith('Failed') ?? false,
        ableToScale: decision.ableToScale,
        scalingActive: decision.scalingActive,
        scalingLimited: decision.scalingLimited,
      };
    },
  },
  trace: {
    needs: ['totalLoadMilli', 'currentReplicas', 'minReplicas', 'maxReplicas', 'target', 'tolerance'],
    run: (vector) => ({ steps: replayed(vector) }),
  },
};

function cameOf({ replicas, usage, average }: Proposal): Came {
  return { replicas, usageMilli: usage, utilization: usage, rawMilli: average };
}

/** Kind, name where there is one, and type of the target. */
const METRIC_TYPE =
  /^(Resource|ContainerResource|Pods|Object|External)(?:\/([^/]+))?\/(Utilization|AverageValue|Value)$/;

function proposalOf(vector: HpaVector): Proposal {
  const form = METRIC_TYPE.exec(vector.metricType!);
  if (!form) throw new Error(`metricType is '${vector.metricType}'; write it as in Resource/cpu/Utilization`);
  const [, kind, name, type] = form as unknown as [string, MetricNow['kind'], string | undefined, MetricTarget['type']];
  const target = vector.target!;
  const metric: PolicyMetric = {
    kind,
    name: name ?? type,
    target: type === 'Utilization' ? { type, percent: target } : { type, milli: target },
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
