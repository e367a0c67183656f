import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../platform/clock.ts';
import { type RunClock, startRunClock } from '../cluster/run-clock.ts';
import { type Policy, readPolicy } from '../hpa/manifest.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadOptions } from '../load/load-options.ts';
import type { Look } from '../load/tally.ts';
import type { LoadRecord, PodRecord, ScalingTick } from '../report/record.ts';
import { viewOf } from './kube/objects.ts';
import { PodBook } from './kube/pod-book.ts';
import { tickOf } from './kube/tick.ts';
import { checkLength, type RunHooks } from './local-run.ts';

export interface ClusterRunOptions {
  load: LoadOptions;
  /** Objects of the namespace, as `{ items }` of which each has its kind. */
  objects(): Promise<unknown>;
  /** The only one of the namespace if absent. */
  autoscaler?: string | undefined;
  /** Seconds from one look at the cluster to the next. */
  lookSeconds: number;
}

export interface ClusterRunResult {
  policy: Policy;
  load: LoadRecord;
  ticks: ScalingTick[];
  pods: PodRecord[];
  /** Looks at which the cluster did not answer. */
  missedLooks: number;
}

/** A sync that changes nothing leaves nothing to see: then it is told of once in the default period. */
const SYNC_SECONDS = 15;

/**
 * The same load against a cluster that is there, whose own autoscaler decides; it is watched, and nothing is changed.
 * @throws KedgeError `config-invalid` where there is no autoscaler, the first look fails, or the load is shorter than from one look to the next
 */
export async function runOnCluster(options: ClusterRunOptions, hooks: RunHooks): Promise<ClusterRunResult> {
  checkLength(options.load.schedule, { name: '--look', seconds: options.lookSeconds });
  const { autoscaler } = viewOf(await options.objects(), options.autoscaler);
  const {
    apiVersion: _,
    kind: __,
    metadata,
    status: ___,
    ...rest
  } = autoscaler as typeof autoscaler & { apiVersion: string };
  const written = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: metadata.name } };
  const policy = readPolicy(JSON.stringify({ ...written, ...rest }), 'the autoscaler of the cluster');
  const clock = startRunClock(1, { now: () => performance.now(), sleep: systemClock.sleep });
  const over = new AbortController();
  const signal = AbortSignal.any([hooks.signal, over.signal]);
  const looks = new ClusterLooks(options, policy);
  let watching: Promise<void> | undefined;
  let seen: Look[] = [];
  const driving = driveLoad(options.load, {
    signal,
    onLook: (look) => {
      seen.push(look);
    },
    onBegin: (inMs) => {
      watching = looks.run(clock, clock.now() + inMs / 1_000, signal, (tick) => {
        hooks.onTick(tick, seen);
        seen = [];
      });
    },
  });
  try {
    const load = await driving;
    return { policy, load, ticks: looks.ticks, pods: looks.book.records(), missedLooks: looks.missed };
  } finally {
    over.abort();
    await Promise.allSettled([driving, watching]);
  }
}

class ClusterLooks {
  readonly ticks: ScalingTick[] = [];
  readonly book = new PodBook();
  missed = 0;
  readonly #options: ClusterRunOptions;
  readonly #policy: Policy;

  constructor(options: ClusterRunOptions, policy: Policy) {
    this.#options = options;
    this.#policy = policy;
  }

  async run(clock: RunClock, zero: number, signal: AbortSignal, onTick: (tick: ScalingTick) => void): Promise<void> {
    const { objects, autoscaler, lookSeconds } = this.#options;
    await clock.sleep(zero - clock.now(), signal);
    while (!signal.aborted) {
      try {
        const view = viewOf(await objects(), autoscaler);
        const at = Math.round((clock.now() - zero) * 1_000) / 1_000;
        this.book.look(view.pods, at);
        const tick = tickOf(view, this.#policy.metrics, at);
        if (isNews(this.ticks.at(-1), tick)) {
          this.ticks.push(tick);
          onTick(tick);
        }
      } catch {
        // A cluster that is busy is looked at again; how often it was not seen is told at the end.
        this.missed += 1;
      }
      await clock.sleep(lookSeconds, signal);
    }
  }
}

/** Whether a look tells more than the last one that was kept. Pure. */
export function isNews(before: ScalingTick | undefined, tick: ScalingTick): boolean {
  if (!before || tick.at - before.at >= SYNC_SECONDS) return true;
  return !isDeepStrictEqual({ ...before, at: 0 }, { ...tick, at: 0 });
}
