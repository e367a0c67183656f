import type { Cluster } from '../cluster/cluster.ts';
import { activate, activatePushed } from '../hpa/activation.ts';
import type { Reading } from '../hpa/observe.ts';
import type { ControllerFlags } from '../hpa/spec.ts';
import type { ScalingTick } from '../report/record.ts';
import { Controller } from './controller.ts';
import { type LocalPolicy, targetOf } from './policy.ts';

export interface SyncsOptions {
  policy: LocalPolicy;
  flags: ControllerFlags;
  cluster: Cluster;
  /** Seconds on the clock that pods tell the times of their states by. */
  now(): number;
  /** When the run's second 0 is on it. */
  zero(): number;
  /** What each metric reads, in the order of the policy's. */
  readings(): readonly (Reading | undefined)[];
  /** Requests that are held while no pod is ready; undefined where none ever are. */
  held(): number | undefined;
}

/** The HPA's controller at work, and KEDA beside it: read metrics, decide, have the cluster follow. */
export class Syncs {
  readonly ticks: ScalingTick[] = [];
  readonly #options: SyncsOptions;
  readonly #controller: Controller;
  #lastActiveAt: number | undefined;

  constructor(options: SyncsOptions) {
    this.#options = options;
    this.#controller = new Controller(options.policy, options.flags);
  }

  /** One sync of the HPA. */
  sync(): ScalingTick {
    const { cluster, now, readings } = this.#options;
    const decided = this.#controller.sync({
      now: now(),
      replicas: cluster.replicas,
      pods: cluster.pods,
      readings: readings(),
    });
    if (decided.desired !== decided.current) cluster.scale(decided.desired, 'scaled down');
    return this.#keep(decided);
  }

  /**
   * What KEDA does beside its HPA, where the policy has it take the replicas to zero and back.
   * @param how at a poll, or when a trigger tells by itself
   * @returns undefined where it changes nothing
   */
  keda(how: 'poll' | 'push'): ScalingTick | undefined {
    const { policy, cluster, now, zero, readings } = this.#options;
    if (!policy.activation) return undefined;
    const [at, current, read] = [now(), cluster.replicas, readings()];
    const totals = read.map((one) => (one && 'total' in one ? one.total : undefined));
    const values = new Map(policy.metrics.map(({ name }, index) => [name, totals[index]]));
    const poll = { activation: policy.activation, current, values, now: at - zero(), lastActiveAt: this.#lastActiveAt };
    const { desired, lastActiveAt } = how === 'poll' ? activate(poll) : activatePushed(poll);
    this.#lastActiveAt = lastActiveAt;
    if (desired === current) return undefined;
    const ready = cluster.pods.filter(({ state }) => state === 'ready').length;
    cluster.scale(desired, 'no trigger was active for as long as the cooldown');
    return this.#keep({
      // What the HPA told stands until it tells otherwise.
      ...conditionsOf(this.ticks.at(-1)),
      at,
      current,
      desired,
      wanted: desired,
      ready,
      metrics: policy.metrics.map((metric, index) => ({
        name: metric.name,
        target: targetOf(metric),
        ...(totals[index] !== undefined && { value: totals[index] / 1_000 / Math.max(1, current) }),
      })),
      keda: desired > current ? 'KEDAScaleTargetActivated' : 'KEDAScaleTargetDeactivated',
    });
  }

  #keep(decided: ScalingTick): ScalingTick {
    const { held: heldNow, zero } = this.#options;
    const held = heldNow();
    const tick = { ...decided, at: rounded(Math.max(0, decided.at - zero())), ...(held !== undefined && { held }) };
    this.ticks.push(tick);
    return tick;
  }
}

type Conditions = Pick<ScalingTick, 'ableToScale' | 'scalingActive' | 'scalingLimited'>;

function conditionsOf({ ableToScale, scalingActive, scalingLimited }: Conditions = {}): Conditions {
  return {
    ...(ableToScale !== undefined && { ableToScale }),
    ...(scalingActive !== undefined && { scalingActive }),
    ...(scalingLimited !== undefined && { scalingLimited }),
  };
}

/** To the millisecond, for a record. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
