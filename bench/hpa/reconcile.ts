import { type LimitReason, limitByBehavior, limitWithoutBehavior, type ScaleEvents } from './rates.ts';
import { MetricUnusable, type Proposal } from './replicas.ts';
import type { HpaSpec, ScalingRules } from './spec.ts';
import { stabilizeByBehavior, stabilizeDown } from './stabilize.ts';

/** What the controller knows of an HPA from one sync to the next. Times in seconds on the caller's clock. */
export interface HpaState {
  /** Undefined before the first sync. */
  recommendations: readonly { replicas: number; at: number }[] | undefined;
  ups: readonly { change: number; at: number }[];
  downs: readonly { change: number; at: number }[];
  /** The condition ScaledToZero: zero replicas are the HPA's own doing; else zero means switched off by hand. It outlives the controller. */
  scaledToZero: boolean;
}

export const NEW_HPA: HpaState = { recommendations: undefined, ups: [], downs: [], scaledToZero: false };

/** One metric of the spec, looked at now. */
export interface MetricNow {
  /** Its part in the reason of ScalingActive when it fails: `Resource`, `Pods`, `Object`, `External`. */
  kind: 'Resource' | 'ContainerResource' | 'Pods' | 'Object' | 'External';
  /** @throws MetricUnusable */
  propose(): Proposal;
}

type AbleReason =
  | 'SucceededGetScale'
  | 'SucceededRescale'
  | 'ReadyForNewScale'
  | 'ScaleUpStabilized'
  | 'ScaleDownStabilized';

export interface Decision {
  desired: number;
  /** What the metrics asked for, before rates, bounds and stabilization; undefined where they were not asked. */
  wanted: number | undefined;
  proposals: readonly (Proposal | undefined)[];
  /** Reasons of the conditions. Undefined where the sync does not touch one: it then stays as an earlier sync left it. */
  ableToScale: AbleReason;
  scalingActive: string | undefined;
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
  now: number;
}

/** One sync of the HPA controller (reconcileAutoscaler of horizontal.go, Kubernetes 1.37). Never throws for a metric that fails. */
export function reconcile(before: HpaState, sync: Sync): Decision {
  const { spec, current, now } = sync;
  // A controller that restarts must not scale down before it has seen a whole window.
  const state = before.recommendations ? before : { ...before, recommendations: [{ replicas: current, at: now }] };
  const unasked = {
    wanted: undefined,
    proposals: [],
    ableToScale: 'SucceededGetScale',
    scalingActive: undefined,
    scalingLimited: undefined,
  } as const;
  if (current === 0) {
    const mayLeaveZero = state.scaledToZero && (spec.minReplicas > 0 || sync.metrics.some(isOfAll));
    if (!mayLeaveZero) return { ...unasked, desired: 0, scalingActive: 'ScalingDisabled', state };
  } else {
    const bounded = current > spec.maxReplicas ? spec.maxReplicas : Math.max(current, spec.minReplicas);
    if (bounded !== current) return rescale({ ...unasked, desired: bounded, state }, sync);
  }
  const { wanted, proposals, failure } = ask(sync);
  if (wanted === undefined) return { ...unasked, proposals, desired: current, scalingActive: failure!, state };
  const decision = { ...normalise(state, sync, wanted), wanted, proposals, scalingActive: 'ValidMetricFound' };
  // Where zero was left by raising the least, rates do not hold it below.
  if (current === 0) decision.desired = Math.max(decision.desired, spec.minReplicas);
  return decision.desired === current ? decision : rescale(decision, sync);
}

/** Metrics that are one number for all pods can be read where there is no pod. */
function isOfAll({ kind }: MetricNow): boolean {
  return kind === 'Object' || kind === 'External';
}

function rescale(decision: Decision, sync: Sync): Decision {
  const { spec, metrics } = sync;
  const { desired } = decision;
  const scaledToZero = desired === 0 && spec.minReplicas === 0 && metrics.some(isOfAll);
  const state = { ...recordScale(decision.state, sync, desired), scaledToZero };
  return { ...decision, ableToScale: 'SucceededRescale', state };
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

type Normalised = Pick<Decision, 'desired' | 'ableToScale' | 'scalingLimited' | 'state'>;

function normalise(state: HpaState, sync: Sync, wanted: number): Normalised {
  const { spec, current, now } = sync;
  const { minReplicas: min, maxReplicas: max, behavior } = spec;
  const aged = (state.recommendations ?? []).map(({ replicas, at }) => ({ replicas, age: ageOf(at, now) }));
  const held = behavior
    ? stabilizeByBehavior(wanted, current, aged, behavior)
    : stabilizeDown(wanted, aged, sync.downscaleStabilizationSeconds);
  const limited = behavior
    ? limitByBehavior(held.replicas, current, { min, max, behavior, events: eventsOf(state, now) })
    : limitWithoutBehavior(held.replicas, current, min, max);
  const recommendations = held.recommendations.map(({ replicas, age }) => ({ replicas, at: now - age }));
  return {
    desired: limited.replicas,
    ableToScale: held.reason ?? 'ReadyForNewScale',
    scalingLimited: limited.reason,
    state: { ...state, recommendations },
  };
}

function eventsOf({ ups, downs }: HpaState, now: number): ScaleEvents {
  const aged = (events: HpaState['ups']) => events.map(({ change, at }) => ({ change, age: ageOf(at, now) }));
  return { up: aged(ups), down: aged(downs) };
}

/** Rates are kept only where there are policies that ask for them. */
function recordScale(state: HpaState, { spec: { behavior }, current, now }: Sync, to: number): HpaState {
  if (!behavior) return state;
  if (to > current) return { ...state, ups: addEvent(state.ups, to - current, behavior.scaleUp, now) };
  return { ...state, downs: addEvent(state.downs, current - to, behavior.scaleDown, now) };
}

/**
 * The new event takes the place of the last one that no policy of its own direction looks at any more (storeScaleEvent). A policy of the other
 * direction with a longer period loses that event, as it does in the controller.
 */
function addEvent(events: HpaState['ups'], change: number, { policies }: ScalingRules, now: number): HpaState['ups'] {
  const longest = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds));
  const old = events.findLastIndex(({ at }) => ageOf(at, now) > longest);
  const next = { change, at: now };
  return old < 0 ? [...events, next] : events.with(old, next);
}

/** In whole microseconds: a window ends on the same sync whatever second a clock began at. */
function ageOf(at: number, now: number): number {
  return Math.round((now - at) * 1e6) / 1e6;
}
