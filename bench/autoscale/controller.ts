import { counts, type PodView } from '../cluster/cluster.ts';
import { metricNow, type PolicyMetric, type Reading } from '../hpa/observe.ts';
import type { Pod } from '../hpa/pods.ts';
import { type HpaState, NEW_HPA, reconcile } from '../hpa/reconcile.ts';
import { type ControllerFlags, toleranceOf } from '../hpa/spec.ts';
import type { ScalingTick } from '../report/record.ts';
import { type LocalPolicy, targetOf } from './policy.ts';

/** What the controller sees at one sync. Times in seconds of the run's clock. */
export interface Seen {
  now: number;
  /** `spec.replicas`. */
  replicas: number;
  pods: readonly PodView[];
  /** What each metric reads, in the order of the policy's. */
  readings: readonly (Reading | undefined)[];
}

/** The HPA's controller over one policy: what `reconcile` decides at each sync, kept from one to the next. */
export class Controller {
  readonly #policy: LocalPolicy;
  readonly #flags: ControllerFlags;
  #state: HpaState = NEW_HPA;

  constructor(policy: LocalPolicy, flags: ControllerFlags) {
    this.#policy = policy;
    this.#flags = flags;
  }

  /** One sync. */
  sync(seen: Seen): ScalingTick {
    const { metrics, spec, behavior } = this.#policy;
    const { now, replicas: current, pods, readings } = seen;
    const known = {
      current,
      statusReplicas: pods.filter(counts).length,
      pods: pods.map((pod) => podOf(pod, now)),
      tolerance: toleranceOf(behavior, this.#flags),
      flags: this.#flags,
    };
    const decision = reconcile(this.#state, {
      spec,
      current,
      metrics: metrics.map((metric, index) => metricNow(metric, readings[index], known)),
      downscaleStabilizationSeconds: this.#flags.downscaleStabilizationSeconds,
      now,
    });
    this.#state = decision.state;
    const { wanted, scalingActive, scalingLimited } = decision;
    return {
      at: now,
      current,
      desired: decision.desired,
      ...(wanted !== undefined && { wanted }),
      ready: pods.filter(({ state }) => state === 'ready').length,
      metrics: metrics.map((metric, index) =>
        readOf(metric, decision.proposals[index] ?? atZero(current, readings[index])),
      ),
      ableToScale: decision.ableToScale,
      ...(scalingActive !== undefined && { scalingActive }),
      ...(scalingLimited !== undefined && { scalingLimited }),
    };
  }
}

/** A pod as the API server tells of it. */
function podOf({ name, state, since, startedAt, states }: PodView, now: number): Pod {
  const isReady = state === 'ready';
  // The condition Ready was false from the start of the pod on; draining does not change it by itself.
  const turned = state === 'unready' || isReady ? since : states[0]!.at;
  return {
    name,
    phase: startedAt === undefined ? 'Pending' : 'Running',
    deleting: state === 'draining',
    ready: isReady,
    startAge: startedAt === undefined ? undefined : now - startedAt,
    lastTransitionAge: now - turned,
  };
}

/** With no replicas the HPA asks for nothing, and what is read is shared by nobody. */
function atZero(current: number, reading: Reading | undefined): { usage: number; average: number } | undefined {
  return current === 0 && reading && 'total' in reading ? { usage: reading.total, average: reading.total } : undefined;
}

/** What a metric read for each pod, in the unit of its target. */
function readOf(
  metric: PolicyMetric,
  proposal: { usage: number; average: number } | undefined,
): ScalingTick['metrics'][number] {
  const { name, target } = metric;
  const value = proposal && (target.type === 'Utilization' ? proposal.usage : proposal.usage / 1_000);
  return { name, target: targetOf(metric), ...(value !== undefined && { value }) };
}
