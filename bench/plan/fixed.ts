import type { Objective } from './curve.ts';
import { type Fleet, type Outcome, runPlan } from './run-plan.ts';

/** What a fleet that never scales comes to. */
export interface Fixed {
  replicas: number;
  outcome: Outcome;
}

/** The smallest fleet that keeps the objective without an autoscaler; undefined where none up to `most` does. */
export function smallestFixed(fleet: Fleet, objective: Objective, most: number): Fixed | undefined {
  const run = (replicas: number): Outcome =>
    runPlan({ target: 1, minReplicas: replicas, maxReplicas: replicas }, fleet, objective, { whileKept: true });
  let [low, high] = [1, most];
  if (run(most).leftOff) return undefined;
  // More pods never answer later.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (run(middle).leftOff) low = middle + 1;
    else high = middle;
  }
  return { replicas: low, outcome: run(low) };
}
