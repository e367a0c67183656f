import { describe, expect, it } from 'vitest';
import { Random } from '../../platform/random.ts';
import { type CurvePoint, curveOf, type Objective } from './curve.ts';
import { type Fleet, runPlan } from './run-plan.ts';
import {
  boundsFor,
  type Candidate,
  chosenOf,
  type Grid,
  type Row,
  searchPlans,
  targetsFor,
  writtenNumbers,
} from './search.ts';

function searched(fleet: Fleet, objective: Objective, grid: Grid): Row[] {
  const search = searchPlans(fleet, objective, grid);
  for (;;) {
    const { value, done } = search.next();
    if (done) return value;
  }
}

/** A pod that becomes slower as it fills, as queues do. */
function anyCurve(random: Random): CurvePoint[] {
  const peak = 20 + random.below(500);
  const serviceMs = 1 + random.below(40);
  return [0.1, 0.3, 0.5, 0.7, 0.85, 0.95].map((load) => {
    const latencyMs = serviceMs / (1 - load);
    return { rate: peak * load, inFlight: (peak * load * latencyMs) / 1_000, p99Ms: latencyMs * 3 };
  });
}

/** A day in 20 minutes, with a jump somewhere. */
function anyLoad(random: Random, capacity: number, times: number): Float64Array {
  const [base, swing, jump] = [2 + random.below(10), random.next(), 40 + random.below(100)];
  return Float64Array.from({ length: 240 }, (_, step) => {
    const wave = 1 + swing * Math.sin((step / 240) * 2 * Math.PI);
    return times * capacity * base * wave * (step >= jump && step < jump + 30 ? 1.5 : 1);
  });
}

function anyCase(seed: number, times = 1): { fleet: Fleet; objective: Objective; grid: Grid } {
  const random = new Random(seed);
  const curve = curveOf(anyCurve(random));
  const fleet: Fleet = {
    curve,
    rates: anyLoad(random, curve.capacity, times),
    stepSeconds: 5,
    podStartSeconds: 5 + random.below(60),
    drainSeconds: random.below(30),
    metricWindowSeconds: 30,
    metricDelaySeconds: 15,
    queueSeconds: 1,
    syncSeconds: 15,
    behavior: random.chance(0.5) ? { scaleDown: { stabilizationWindowSeconds: 60 } } : undefined,
  };
  const objective = { p99Ms: curve.points[3]!.p99Ms, share: random.pick([0.9, 0.95, 0.99, 1]) };
  const targets = targetsFor(curve).filter((_, index) => index % 3 === 0);
  return { fleet, objective, grid: { targets, least: 2, most: 100_000 } };
}

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);

describe('the plan that is chosen (random pods and loads)', () => {
  it.each(SEEDS)('seed %i: keeps the objective, and no cheaper one of the grid does', (seed) => {
    const { fleet, objective, grid } = anyCase(seed);
    const rows = searched(fleet, objective, grid);
    const chosen = chosenOf(rows);
    // Each to its end, nothing left off.
    const keeps: Candidate[] = grid.targets
      .flatMap((target) => boundsFor(target, fleet, grid).map((bounds) => ({ target, ...bounds })))
      .map((plan) => ({ plan, outcome: runPlan(plan, fleet, objective) }))
      .filter(({ outcome }) => outcome.keptShare >= objective.share - 1e-9);
    const least = Math.min(...keeps.map(({ outcome }) => outcome.podHours));
    expect(chosen?.outcome.podHours ?? Number.POSITIVE_INFINITY).toBe(least);
    if (!chosen) return;
    const again = runPlan(chosen.plan, fleet, objective);
    expect(again).toEqual(chosen.outcome);
    expect(again.keptShare).toBeGreaterThanOrEqual(objective.share - 1e-9);
    for (const { target, best } of rows) {
      const ofTarget = keeps.filter(({ plan }) => plan.target === target).map(({ outcome }) => outcome.podHours);
      expect(best?.outcome.podHours).toBe(ofTarget.length > 0 ? Math.min(...ofTarget) : undefined);
    }
  });

  it.each(SEEDS)('seed %i: costs more for twice the load, and no more for a looser objective', (seed) => {
    const { fleet, objective, grid } = anyCase(seed);
    const cost = (of: Fleet, within: Objective): number =>
      chosenOf(searched(of, within, grid))?.outcome.podHours ?? Number.POSITIVE_INFINITY;
    const once = cost(fleet, objective);
    expect(cost(anyCase(seed, 2).fleet, objective)).toBeGreaterThanOrEqual(once);
    expect(cost(fleet, { ...objective, p99Ms: objective.p99Ms! * 1.5 })).toBeLessThanOrEqual(once);
    expect(cost(fleet, { ...objective, share: objective.share - 0.1 })).toBeLessThanOrEqual(once);
  });
});

it('some of these cases have an answer, and it scales', () => {
  const chosen = SEEDS.map((seed) => {
    const { fleet, objective, grid } = anyCase(seed);
    return chosenOf(searched(fleet, objective, grid));
  }).filter((one) => one !== undefined);
  expect(chosen.length).toBeGreaterThan(6);
  expect(chosen.filter(({ plan, outcome }) => outcome.peakReplicas > plan.minReplicas).length).toBeGreaterThan(3);
});

it('an objective that no load keeps has no plan, and the nearest is told', () => {
  const { fleet, grid } = anyCase(1);
  const rows = searched(fleet, { p99Ms: 0.001, share: 0.5 }, grid);
  expect(chosenOf(rows)).toBeUndefined();
  expect(rows.map(({ nearest }) => nearest?.outcome.keptShare)).toEqual(rows.map(() => 0));
});

it.each([
  [1, 12, [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]],
  [0.3, 0.7, [0.3, 0.4, 0.5, 0.6]],
  [7, 7.5, []],
])('from %d to %d people would write %j', (from, to, numbers) => expect(writtenNumbers(from, to)).toEqual(numbers));

it('bounds hold to the fewest and the most', () => {
  const { fleet, grid } = anyCase(3);
  for (const { minReplicas, maxReplicas } of boundsFor(grid.targets[0]!, fleet, { ...grid, least: 3, most: 20 })) {
    expect(minReplicas).toBeGreaterThanOrEqual(3);
    expect(maxReplicas).toBeLessThanOrEqual(20);
    expect(maxReplicas).toBeGreaterThanOrEqual(minReplicas);
  }
});
