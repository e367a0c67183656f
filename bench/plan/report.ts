import { countText, latencyText, numberText, secondsText, shareText } from '../report/format.ts';
import { inFlightAt, type Objective, p99At, rateWithin } from './curve.ts';
import type { Fixed } from './fixed.ts';
import type { Fleet } from './run-plan.ts';
import type { Candidate, Row } from './search.ts';

/** All that a search came to. */
export interface Planned {
  fleet: Fleet;
  objective: Objective;
  /** Part by which the load was raised. */
  headroom: number;
  rows: readonly Row[];
  chosen: Candidate | undefined;
  /** The chosen plan over the load as it is, without the headroom. */
  asItIs: Candidate | undefined;
  fixed: Fixed | undefined;
}

const MILLI = 1_000;
const msText = (ms: number): string => latencyText(ms * MILLI);
const hoursText = (hours: number): string => countText(hours, 'pod-hour');

function objectiveText({ p99Ms, inFlight, share }: Objective): string {
  const parts = [
    p99Ms === undefined ? undefined : `p99 at most ${msText(p99Ms)}`,
    inFlight === undefined ? undefined : `at most ${numberText(inFlight)} under way in a pod`,
  ];
  return `${parts.filter(Boolean).join(' and ')}, ${shareText(share)} of the time`;
}

/** What is planned for, a line each. */
export function premises({ fleet, objective, headroom }: Planned): string[] {
  const { curve, rates, stepSeconds } = fleet;
  const [least, most] = [rates.reduce((a, b) => Math.min(a, b)), rates.reduce((a, b) => Math.max(a, b))];
  const raised = headroom === 0 ? '' : `, raised by ${shareText(headroom)}`;
  const within = rateWithin(curve, objective);
  const peak = inFlightAt(curve, curve.capacity);
  return [
    `Load: ${secondsText(rates.length * stepSeconds)}, ${numberText(least)} to ${numberText(most)} requests a second${raised}.`,
    `A pod: ${numberText(curve.capacity)} a second at its peak, with ${numberText(peak)} under way; within the objective ${numberText(within)}, with ${numberText(inFlightAt(curve, within))}.`,
    `Objective: ${objectiveText(objective)}. A pod answers ${secondsText(fleet.podStartSeconds)} after it is asked for.`,
  ];
}

export const HEAD = ['target', 'pods', 'pod-hours', 'kept', 'p99 at worst', 'most pods', 'p99 at the target'];

/** The best of each target, for {@link HEAD}. */
export function cells({ fleet, rows, chosen }: Planned): string[][] {
  return rows.map(({ target, best, nearest }) => {
    const { plan, outcome } = (best ?? nearest)!;
    return [
      `${numberText(target)}${best && best === chosen ? ' *' : ''}`,
      `${plan.minReplicas} to ${plan.maxReplicas}`,
      best ? numberText(outcome.podHours) : '-',
      shareText(outcome.keptShare),
      msText(outcome.worstP99Ms),
      String(outcome.peakReplicas),
      msText(p99At(fleet.curve, rateOfTarget(fleet, target))),
    ];
  });
}

/** What a pod answers a second when a target is just met. */
function rateOfTarget({ curve }: Fleet, target: number): number {
  return rateWithin(curve, { inFlight: target, share: 1 });
}

/** Why the chosen plan, or why none; a sentence each. */
export function reasons(planned: Planned): string[] {
  const { chosen, rows, fixed, fleet, objective } = planned;
  return chosen ? reasonsFor(planned, chosen) : reasonsAgainst(rows, fixed, fleet, objective);
}

function reasonsFor({ fleet, rows, asItIs, headroom, fixed }: Planned, { plan, outcome }: Candidate): string[] {
  const rate = rateOfTarget(fleet, plan.target);
  const full = rate / fleet.curve.capacity;
  const blind = fleet.metricDelaySeconds + fleet.syncSeconds + fleet.podStartSeconds;
  const told = [
    `At target ${numberText(plan.target)} a pod answers ${numberText(rate)} a second, ${shareText(full)} of its peak; the rest is for what comes in the ${secondsText(blind)} until a new pod answers: the age of the metric, a sync, and the start.`,
  ];
  const next = rows.find(({ target }) => target > plan.target);
  if (next?.best) {
    const more = next.best.outcome.podHours - outcome.podHours;
    told.push(
      `Target ${numberText(next.target)} keeps the objective too, for ${more > 0 ? `${hoursText(more)} more, as it then needs other bounds` : 'the same'}.`,
    );
  } else if (next?.nearest) {
    told.push(
      `Target ${numberText(next.target)} does not: with ${next.nearest.plan.minReplicas} to ${next.nearest.plan.maxReplicas} pods ${shareText(next.nearest.outcome.keptShare)} of the time.`,
    );
  }
  if (fixed) {
    const saved = 1 - outcome.podHours / fixed.outcome.podHours;
    told.push(
      `A fleet that never scales needs ${countText(fixed.replicas, 'pod')}, ${hoursText(fixed.outcome.podHours)}: ${saved > 0 ? `${shareText(saved)} of them are saved` : 'no more than this plan, so that scaling saves nothing here'}.`,
    );
  }
  if (asItIs && headroom > 0) {
    told.push(
      `Over the load as it is, without the headroom: ${hoursText(asItIs.outcome.podHours)}, kept ${shareText(asItIs.outcome.keptShare)} of the time.`,
    );
  }
  return told;
}

function reasonsAgainst(
  rows: readonly Row[],
  fixed: Fixed | undefined,
  { curve }: Fleet,
  objective: Objective,
): string[] {
  const nearest = rows
    .flatMap((row) => (row.nearest ? [row.nearest] : []))
    .sort((a, b) => b.outcome.keptShare - a.outcome.keptShare)[0];
  const told = ['No plan of the grid keeps the objective.'];
  if (rateWithin(curve, objective) === 0) {
    return [...told, 'No load is light enough for it: the pod misses it at its lowest measured rate. Loosen it.'];
  }
  if (nearest) {
    const { plan, outcome } = nearest;
    told.push(
      `The nearest is target ${numberText(plan.target)} with ${plan.minReplicas} to ${plan.maxReplicas} pods: ${shareText(outcome.keptShare)} of the time.`,
    );
  }
  told.push(
    fixed
      ? `A fleet that never scales keeps it with ${countText(fixed.replicas, 'pod')}.`
      : 'No fleet of any size that is allowed keeps it: raise --most.',
  );
  return told;
}
