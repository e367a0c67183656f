import type { Behavior } from './spec.ts';

/** What was wanted at an earlier time, before it was held back. */
export interface Recommendation {
  replicas: number;
  /** Seconds. */
  age: number;
}

export interface Stabilized {
  replicas: number;
  /** Reason of the condition AbleToScale; undefined where nothing was held back. */
  reason: 'ScaleUpStabilized' | 'ScaleDownStabilized' | undefined;
  /** With the new one, which takes the place of one that is too old, if there is any. */
  recommendations: Recommendation[];
}

/** The highest of what was wanted within the window (stabilizeRecommendation). A recommendation as old as the window counts. */
export function stabilizeDown(
  desired: number,
  recommendations: readonly Recommendation[],
  windowSeconds: number,
): Stabilized {
  const young = recommendations.filter(({ age }) => age <= windowSeconds);
  const replicas = Math.max(desired, ...young.map((one) => one.replicas));
  return {
    replicas,
    reason: replicas === desired ? undefined : 'ScaleDownStabilized',
    recommendations: remember(desired, recommendations, ({ age }) => age > windowSeconds),
  };
}

/** Both directions, each with its window (stabilizeRecommendationWithBehaviors). A recommendation as old as its window does not count. */
export function stabilizeByBehavior(
  desired: number,
  current: number,
  recommendations: readonly Recommendation[],
  { scaleUp, scaleDown }: Behavior,
): Stabilized {
  const [upWindow, downWindow] = [scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds];
  const within = (windowSeconds: number): number[] =>
    recommendations.filter(({ age }) => age < windowSeconds).map(({ replicas }) => replicas);
  const up = Math.min(desired, ...within(upWindow));
  const down = Math.max(desired, ...within(downWindow));
  const replicas = Math.min(Math.max(current, up), down);
  const direction = desired >= current ? 'ScaleUpStabilized' : 'ScaleDownStabilized';
  return {
    replicas,
    reason: replicas === desired ? undefined : direction,
    recommendations: remember(desired, recommendations, ({ age }) => age > upWindow && age > downWindow),
  };
}

function remember(
  replicas: number,
  recommendations: readonly Recommendation[],
  isOld: (one: Recommendation) => boolean,
): Recommendation[] {
  const next = { replicas, age: 0 };
  const old = recommendations.findLastIndex(isOld);
  return old < 0 ? [...recommendations, next] : recommendations.with(old, next);
}
