import { describe, expect, it } from 'vitest';
import { curveOf } from './curve.ts';
import { type Fleet, missableSteps, type Plan, runPlan } from './run-plan.ts';

/** Up to a hundred a second: one under way for each ten. */
const CURVE = curveOf([
  { rate: 50, inFlight: 5, p99Ms: 20 },
  { rate: 100, inFlight: 10, p99Ms: 40 },
]);

function fleetOf(rates: readonly number[], over: Partial<Fleet> = {}): Fleet {
  return {
    curve: CURVE,
    rates: Float64Array.from(rates),
    stepSeconds: 5,
    podStartSeconds: 30,
    drainSeconds: 10,
    metricWindowSeconds: 30,
    metricDelaySeconds: 15,
    queueSeconds: 1,
    syncSeconds: 15,
    behavior: {},
    ...over,
  };
}

const steps = (count: number, rate: number): number[] => new Array<number>(count).fill(rate);
const PLAN: Plan = { target: 5, minReplicas: 1, maxReplicas: 100 };
const OBJECTIVE = { p99Ms: 40, share: 1 };

/** Replicas and ready pods after each step. */
function history(plan: Plan, fleet: Fleet): { replicas: number[]; ready: number[] } {
  const [replicas, ready]: [number[], number[]] = [[], []];
  runPlan(plan, fleet, OBJECTIVE, {
    each: (_, asked, there) => {
      replicas.push(asked);
      ready.push(there);
    },
  });
  return { replicas, ready };
}

describe('a fleet under a steady load', () => {
  it('stays as it is, and costs its pods times hours', () => {
    const outcome = runPlan(PLAN, fleetOf(steps(720, 200)), OBJECTIVE);
    // 200 a second at 50 for each pod, for an hour.
    expect(outcome).toMatchObject({ podHours: 4, keptShare: 1, refusedShare: 0, peakReplicas: 4, leftOff: false });
    expect(outcome.worstP99Ms).toBe(20);
  });

  it('beyond what its most pods can answer, lets requests wait and then refuses', () => {
    const outcome = runPlan({ ...PLAN, maxReplicas: 1 }, fleetOf(steps(720, 200)), OBJECTIVE);
    expect(outcome.keptShare).toBe(0);
    // A hundred of two hundred, but for those that wait for a second once.
    expect(outcome.refusedShare).toBeCloseTo(0.5 - 100 / (720 * 5 * 200), 9);
    expect(outcome.worstP99Ms).toBe(40 + 1_000);
  });
});

describe('a fleet under a load that changes', () => {
  it('has new pods answer once they have started, and paid for from when they were asked for', () => {
    const { replicas, ready } = history(PLAN, fleetOf([...steps(24, 50), ...steps(100, 200)]));
    const asked = replicas.findIndex((pods) => pods > 1);
    const there = ready.findIndex((pods) => pods > 1);
    expect((there - asked) * 5).toBe(30);
    // No sync sees the load before its metric is as old as it is.
    expect(asked * 5).toBeGreaterThanOrEqual(24 * 5 + 15);
    expect(replicas.at(-1)).toBe(4);
  });

  it('takes pods away only after the window, and pays for them until they are drained', () => {
    const rates = [...steps(24, 200), ...steps(180, 50)];
    const { replicas, ready } = history(PLAN, fleetOf(rates));
    const fell = replicas.findIndex((pods) => pods < 4);
    expect(fell * 5).toBeGreaterThanOrEqual(24 * 5 + 300);
    expect(ready[fell + 1]).toBe(replicas[fell]);
    const paid = (drainSeconds: number): number => runPlan(PLAN, fleetOf(rates, { drainSeconds }), OBJECTIVE).podHours;
    // Three pods, ninety seconds longer.
    expect(paid(100) - paid(10)).toBeCloseTo((3 * 90) / 3_600, 9);
  });

  it('takes away those that are still starting first', () => {
    const fleet = fleetOf([...steps(6, 50), ...steps(6, 1_000), ...steps(100, 50)], {
      podStartSeconds: 600,
      drainSeconds: 0,
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    });
    const { replicas, ready } = history(PLAN, fleet);
    expect(Math.max(...replicas)).toBeGreaterThan(4);
    expect(new Set(ready)).toEqual(new Set([1]));
  });

  it('works off what waited', () => {
    const fleet = fleetOf([...steps(6, 50), ...steps(4, 120), ...steps(40, 50)], { queueSeconds: 60 });
    const p99s = runPlan({ ...PLAN, maxReplicas: 1 }, fleet, OBJECTIVE);
    // 20 a second too many for 20 s: four seconds of work.
    expect(p99s.worstP99Ms).toBeCloseTo(40 + 4_000, 6);
    expect(p99s.refusedShare).toBe(0);
    // Worked off at 50 a second: with the four steps before, and the last in which something still waits.
    expect(p99s.keptShare).toBeCloseTo(1 - 5 / 50, 9);
  });
});

describe('leaving off', () => {
  const rates = [...steps(24, 50), ...steps(100, 800)];

  it('comes once the objective is missed for longer than its share allows', () => {
    const whole = runPlan(PLAN, fleetOf(rates), OBJECTIVE);
    expect(whole.keptShare).toBeLessThan(1);
    expect(runPlan(PLAN, fleetOf(rates), OBJECTIVE, { whileKept: true }).leftOff).toBe(true);
    const share = Math.floor(whole.keptShare * 100) / 100;
    const kept = runPlan(PLAN, fleetOf(rates), { ...OBJECTIVE, share }, { whileKept: true });
    expect(kept).toEqual(whole);
  });

  it('comes once it costs more than another', () => {
    expect(runPlan(PLAN, fleetOf(rates), OBJECTIVE, { podHours: 0.1 }).leftOff).toBe(true);
    expect(runPlan(PLAN, fleetOf(rates), OBJECTIVE, { podHours: 100 }).leftOff).toBe(false);
  });

  it.each([
    [10, 0.9, 1],
    [100, 1, 0],
    [1_000, 0.999, 1],
    [3, 0.5, 1],
  ])('%d steps at a share of %d may miss %d', (count, share, missable) => {
    expect(missableSteps(count, { share })).toBe(missable);
  });
});

it('a thousand times the load takes a thousand times the pods', () => {
  const rates = Array.from({ length: 720 }, (_, step) => 3_000 + 2_500 * Math.sin(step / 60));
  const small = runPlan({ target: 5, minReplicas: 4, maxReplicas: 200 }, fleetOf(rates), OBJECTIVE);
  const large = runPlan(
    { target: 5, minReplicas: 4_000, maxReplicas: 200_000 },
    fleetOf(rates.map((rate) => rate * 1_000)),
    OBJECTIVE,
  );
  expect(large.peakReplicas).toBeGreaterThan(100_000);
  // But for whole pods, of which a few are a larger part.
  expect(Math.abs(large.podHours / small.podHours / 1_000 - 1)).toBeLessThan(0.02);
});
