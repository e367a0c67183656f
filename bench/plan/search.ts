import { type Curve, inFlightAt, type Objective, rateWithin } from './curve.ts';
import { type Fleet, type Outcome, type Plan, runPlan } from './run-plan.ts';

/** Which plans are looked at: each target with each of the bounds that go with it. */
export interface Grid {
  /** Rising. */
  targets: readonly number[];
  /** Never fewer pods than these, such as 2 where one may be away for a while. */
  least: number;
  /** Never more pods. */
  most: number;
}

export interface Candidate {
  plan: Plan;
  outcome: Outcome;
}

/** The best that one target can do. */
export interface Row {
  target: number;
  /** The cheapest that keeps the objective; of equals the one with the lower bounds. Undefined where none does. */
  best: Candidate | undefined;
  /** Where none does: the one with the highest bounds. */
  nearest: Candidate | undefined;
}

const PER_DECADE = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/** Numbers that people would write, from and to bounds; ten for each power of ten. */
export function writtenNumbers(from: number, to: number): number[] {
  const numbers: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(from)); decade <= to; decade *= 10) {
    numbers.push(...PER_DECADE.map((digit) => Number((digit * decade).toPrecision(3))));
  }
  return numbers.filter((number) => number >= from && number <= to);
}

/** A pod at its peak has so many times more under way than at the lowest target. */
const TARGET_RANGE = 20;

/** Targets from a twentieth of what is under way in a pod at its peak, up to that. */
export function targetsFor(curve: Curve): number[] {
  const peak = inFlightAt(curve, curve.capacity);
  const targets = writtenNumbers(peak / TARGET_RANGE, peak);
  return targets.length > 0 ? targets : [peak];
}

/** By how much more than it needs at rest the load's highest rate may take; what is over it is a bound on cost alone. */
const OVER_PEAK = [1, 1.15, 1.3, 1.6, 2];

/** Bounds for a target: from few that scale to as many as the highest rate needs at rest, which never scale. */
export function boundsFor(target: number, fleet: Fleet, { least, most }: Grid): Omit<Plan, 'target'>[] {
  const within = (replicas: number): number => Math.min(Math.max(Math.ceil(replicas), least), most);
  const peak = highestRate(fleet) / rateWithin(fleet.curve, { inFlight: target, share: 1 });
  const mins = distinct([
    ...writtenNumbers(Math.max(1, least), Math.max(1, peak)).map(within),
    within(least),
    within(peak),
  ]);
  return mins.flatMap((minReplicas) =>
    distinct(OVER_PEAK.map((share) => Math.max(within(peak * share), minReplicas))).map((maxReplicas) => ({
      minReplicas,
      maxReplicas,
    })),
  );
}

function highestRate({ rates }: Fleet): number {
  return rates.reduce((most, rate) => Math.max(most, rate), 0);
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/**
 * Looks at every plan of a grid, and finds for each target the cheapest that keeps the objective. Plans that cannot be it are left off early, so that most
 * cost little; what is found is what looking at all of them to their end would find.
 * Yields after each target: how many are done.
 */
export function* searchPlans(fleet: Fleet, objective: Objective, grid: Grid): Generator<number, Row[]> {
  const rows: Row[] = [];
  for (const target of grid.targets) {
    const bounds = boundsFor(target, fleet, grid);
    const best = cheapest(target, bounds, fleet, objective);
    const highest = { target, ...bounds.at(-1)! };
    const nearest = best ? undefined : { plan: highest, outcome: runPlan(highest, fleet, objective) };
    rows.push({ target, best, nearest });
    yield rows.length;
  }
  return rows;
}

/** @param bounds by lower bound, then by upper bound, rising */
function cheapest(
  target: number,
  bounds: readonly Omit<Plan, 'target'>[],
  fleet: Fleet,
  objective: Objective,
): Candidate | undefined {
  const hours = (fleet.rates.length * fleet.stepSeconds) / 3_600;
  let best: Candidate | undefined;
  /** The last run with this lower bound, where its upper bound played no part: a higher one gives the same. */
  let unbounded: number | undefined;
  for (const { minReplicas, maxReplicas } of bounds) {
    // As many pods as the lower bound are there all the time.
    if (minReplicas === unbounded || minReplicas * hours >= (best?.outcome.podHours ?? Number.POSITIVE_INFINITY))
      continue;
    const plan = { target, minReplicas, maxReplicas };
    const outcome = runPlan(plan, fleet, objective, { whileKept: true, podHours: best?.outcome.podHours });
    if (outcome.peakReplicas < maxReplicas) unbounded = minReplicas;
    const isCheaper = outcome.podHours < (best?.outcome.podHours ?? Number.POSITIVE_INFINITY);
    if (!outcome.leftOff && isCheaper) best = { plan, outcome };
  }
  return best;
}

/** The cheapest of all targets; of equals the one that keeps the objective for longer. Undefined where none keeps it. */
export function chosenOf(rows: readonly Row[]): Candidate | undefined {
  const found = rows.flatMap(({ best }) => (best ? [best] : []));
  return found.sort((a, b) => a.outcome.podHours - b.outcome.podHours || b.outcome.keptShare - a.outcome.keptShare)[0];
}
