import { setImmediate } from 'node:timers/promises';
import type { Curve } from '../../bench/plan/curve.ts';
import { smallestFixed } from '../../bench/plan/fixed.ts';
import { ratesOf } from '../../bench/plan/rates.ts';
import type { Planned } from '../../bench/plan/report.ts';
import { type Fleet, runPlan } from '../../bench/plan/run-plan.ts';
import { chosenOf, type Grid, searchPlans, targetsFor } from '../../bench/plan/search.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Context } from '../command.ts';
import { progressOn } from '../progress.ts';
import type { Numbers } from './options.ts';
import type { Wanted } from './wanted.ts';

/** A step for each second of a load up to this long, in seconds; for longer ones a third of the sync period. */
const FINE_SECONDS = 3 * 3_600;

/** Looks for the plan that keeps the objective at the least cost, and shows how far it is. */
export async function findPlan(
  { err, signal }: Context,
  numbers: Numbers,
  { curve, schedule, objective, behavior, targets: asked }: Wanted & { curve: Curve },
): Promise<Planned> {
  const seconds = schedule.segments.at(-1)!.to;
  const stepSeconds = seconds <= FINE_SECONDS ? 1 : numbers.sync / 3;
  const rates = ratesOf(schedule, stepSeconds);
  const base: Fleet = {
    curve,
    rates,
    stepSeconds,
    podStartSeconds: numbers['pod-start'],
    drainSeconds: numbers.drain,
    metricWindowSeconds: numbers['metric-window'],
    metricDelaySeconds: numbers['metric-delay'],
    queueSeconds: numbers.queue,
    syncSeconds: numbers.sync,
    behavior,
  };
  const fleet = { ...base, rates: rates.map((rate) => rate * (1 + numbers.headroom)) };
  const targets = asked ?? targetsFor(curve);
  const grid: Grid = { targets, least: numbers.least, most: numbers.most };
  const progress = progressOn(err, systemClock);
  const search = searchPlans(fleet, objective, grid);
  for (;;) {
    const { value, done } = search.next();
    if (done) {
      progress.end();
      const chosen = chosenOf(value);
      const asItIs = chosen && { plan: chosen.plan, outcome: runPlan(chosen.plan, base, objective) };
      const fixed = smallestFixed(fleet, objective, numbers.most);
      return { fleet, objective, headroom: numbers.headroom, rows: value, chosen, asItIs, fixed };
    }
    progress.show({ phase: 'plan', bytes: value, totalBytes: targets.length, unit: 'targets' });
    await setImmediate();
    signal.throwIfAborted();
  }
}
