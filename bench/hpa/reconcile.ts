import { type LimitReason, limitByBehavior, limitWithoutBehavior, type ScaleEvents } from './rates.ts';
import { MetricUnusable, type Proposal } from './replicas.ts';
import type { HpaSpec } from './spec.ts';
import { stabilizeByBehavior, stabilizeDown } from './stabilize.ts';

/** What the controller remembers of an HPA from one sync to the next. Times in seconds on the caller's clock. */
export interface HpaState {
  /** Undefined before the first sync. */
  recommendations: readonly { replicas: number; at: number }[] | undefined;
  ups: readonly { change: number; at: number }[];
  downs: readonly { change: number; at: number }[];
}

export const NEW_HPA: HpaState = { recommendations: undefined, ups: [], downs: [] };

/** One metric of the spec, looked at now. */
export interface MetricNow {
  /** Its part in the reason of ScalingActive when it fails: `Resource`, `Pods`, `Object`, `External`. */
  kind: 'Resource' | 'ContainerResource' | 'Pods' | 'Object' | 'External';
  /** @throws MetricUnusable */
  propose(): Proposal;
}

export interface Decision {
  desired: number;
  /** What the metrics asked for, before rates, bounds and stabilization; undefined where they were not asked. */
  wanted: number | undefined;
  proposals: readonly (Proposal | undefined)[];
  /** Reasons of the conditions; undefined where the sync did not come to set them. */
  ableToScale: 'ReadyForNewScale' | 'ScaleUpStabilized' | 'ScaleDownStabilized' | undefined;
  scalingActive: string;
  scalingLimited: LimitReason | undefined;
  state: HpaState;
}

export interface Sync {
  spec: HpaSpec;
  /** `spec.replicas` of the scale. */
  current: number;
  metrics: readonly MetricNow[];
  /** For an HPA without `behavior`, in seconds. */
  downscaleStabilizationSeconds: number;
  /** Whether zero replicas are the HPA's own doing (condition ScaledToZero); else zero means switched off by hand. */
  scaledToZero?: boolean;
  now: number;
}

/** One sync of the HPA controller (reconcileAutoscaler of horizontal.go, Kubernetes 1.37). Never throws for a metric that fails. */
export function reconcile(before: HpaState, sync: Sync): Decision {
  const { spec, current, now } = sync;
  // A controller that restarts must not scale down before it has seen a whole window.
  const state = before.recommendations ? before : { ...before, recommendations: [{ replicas: current, at: now }] };
  const unasked = { wanted: undefined, proposals: [], ableToScale: undefined, scalingLimited: undefined };
  if (current === 0 && !(spec.minReplicas === 0 && sync.scaledToZero)) {
    return { ...unasked, desired: 0, scalingActive: 'ScalingDisabled', state };
  }
  const bounded = Math.min(Math.max(current, spec.minReplicas), spec.maxReplicas);
  if (bounded !== current) {
    const next = recordScale(state, spec, current, bounded, now);
    return { ...unasked, desired: bounded, scalingActive: 'ValidMetricFound', state: next };
  }
  const { wanted, proposals, failure } = ask(sync);
  if (wanted === undefined) return { ...unasked, proposals, desired: current, scalingActive: failure!, state };
  return { ...normalise(state, sync, wanted), proposals, scalingActive: 'ValidMetricFound' };
}

/** The largest of what the metrics ask for. Where some fail, the others may scale up only. */
function ask({ metrics, current }: Sync): {
  wanted: number | undefined;
  proposals: (Proposal | undefined)[];
  failure: string | undefined;
} {
  let failure: string | undefined;
  const proposals = metrics.map(({ kind, propose }) => {
    try {
      return propose();
    } catch (error) {
      if (!(error instanceof MetricUnusable)) throw error;
      failure ??= `FailedGet${kind}Metric`;
      return undefined;
    }
  });
  const valid = proposals.filter((one) => one !== undefined);
  const most = Math.max(0, ...valid.map(({ replicas }) => replicas));
  const unusable = valid.length === 0 || (valid.length < proposals.length && most < current);
  return { wanted: unusable ? undefined : most, proposals, failure };
}

type Normalised = Pick<Decision, 'desired' | 'wanted' | 'ableToScale' | 'scalingLimited' | 'state'>;

function normalise(state: HpaState, sync: Sync, wanted: number): Normalised {
  const { spec, current, now } = sync;
  const { minReplicas: min, maxReplicas: max, behavior } = spec;
  const aged = (state.recommendations ?? []).map(({ replicas, at }) => ({ replicas, age: now - at }));
  const held = behavior
    ? stabilizeByBehavior(wanted, current, aged, behavior)
    : stabilizeDown(wanted, aged, sync.downscaleStabilizationSeconds);
  const limited = behavior
    ? limitByBehavior(held.replicas, current, { min, max, behavior, events: eventsOf(state, now) })
    : limitWithoutBehavior(held.replicas, current, min, max);
  const recommendations = held.recommendations.map(({ replicas, age }) => ({ replicas, at: now - age }));
  return {
    desired: limited.replicas,
    wanted,
    ableToScale: held.reason ?? 'ReadyForNewScale',
    scalingLimited: limited.reason,
    state: recordScale({ ...state, recommendations }, spec, current, limited.replicas, now),
  };
}

function eventsOf({ ups, downs }: HpaState, now: number): ScaleEvents {
  const aged = (events: HpaState['ups']) => events.map(({ change, at }) => ({ change, age: now - at }));
  return { up: aged(ups), down: aged(downs) };
}

/** Rates are kept only where there are policies that ask for them. */
function recordScale(state: HpaState, { behavior }: HpaSpec, from: number, to: number, now: number): HpaState {
  if (!behavior || from === to) return state;
  const longest = Math.max(
    0,
    ...[behavior.scaleUp, behavior.scaleDown].flatMap(({ policies }) => policies.map((one) => one.periodSeconds)),
  );
  const young = (events: HpaState['ups']) => events.filter(({ at }) => now - at < longest);
  const ups = young(state.ups);
  const downs = young(state.downs);
  return to > from
    ? { ...state, ups: [...ups, { change: to - from, at: now }], downs }
    : { ...state, ups, downs: [...downs, { change: from - to, at: now }] };
}
