import { readPolicy } from '../../bench/hpa/manifest.ts';
import { MANIFEST_BEHAVIOR } from '../../bench/hpa/manifest-behavior.ts';
import type { Schedule } from '../../bench/load/schedule.ts';
import { parseSchedule, traceSchedule } from '../../bench/load/schedule-spec.ts';
import type { Objective } from '../../bench/plan/curve.ts';
import type { Fleet } from '../../bench/plan/run-plan.ts';
import { SNIPPET_KINDS, type SnippetKind } from '../../bench/plan/snippet.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Context } from '../command.ts';
import { PLAN_IDLE } from '../idle/plan.ts';
import { refuseByRules } from '../idle-options.ts';
import { readText } from '../read-text.ts';
import type { Numbers } from './options.ts';

type Values = Context['values'];

/** What is planned for, and within what. */
export interface Wanted {
  schedule: Schedule;
  objective: Objective;
  behavior: Fleet['behavior'];
  targets: number[] | undefined;
  kind: SnippetKind;
}

/** @returns undefined where a curve alone is wanted @throws KedgeError `config-invalid` where the options contradict each other, or one of them does nothing */
export function wantedOf(values: Values, numbers: Numbers): Wanted | undefined {
  const { curve, measure, trace, load } = values;
  if (trace !== undefined && load !== undefined) throw invalid('give --trace or --load, not both.');
  if (curve !== undefined && measure !== undefined) throw invalid('give --curve or --measure, not both.');
  if (curve === undefined && measure === undefined)
    throw invalid('say what a pod answers: --curve FILE, or --measure URL.');
  const plans = trace !== undefined || load !== undefined;
  if (!plans && measure === undefined) throw invalid('say what the load is: --trace FILE or --load SPEC.');
  refuseByRules(values, PLAN_IDLE, { measures: measure !== undefined, plans });
  if (!plans) return undefined;
  const objective: Objective = { p99Ms: numbers.p99, inFlight: numbers['in-flight'], share: numbers.share };
  if (objective.p99Ms === undefined && objective.inFlight === undefined)
    throw invalid('say what must hold: --p99 MS, --in-flight N, or both.');
  if (numbers.least > numbers.most) throw invalid('--least must not be over --most.');
  const hpa = values['hpa'] as string | undefined;
  return {
    schedule: trace === undefined ? parseSchedule(String(load), readText) : traceSchedule(String(trace), readText),
    objective,
    behavior: hpa === undefined ? MANIFEST_BEHAVIOR : readPolicy(readText(hpa), hpa).behavior,
    targets: targetsOf(values['targets']),
    kind: kindOf(values['as']),
  };
}

function invalid(problem: string): KedgeError {
  return new KedgeError('config-invalid', problem);
}

function kindOf(text: Values[string]): SnippetKind {
  const kind = SNIPPET_KINDS.find((one) => one === (text ?? SNIPPET_KINDS[0]));
  if (kind) return kind;
  throw invalid(`--as must be ${SNIPPET_KINDS.join(' or ')}, not '${text}'.`);
}

function targetsOf(text: Values[string]): number[] | undefined {
  if (text === undefined) return undefined;
  const targets = String(text).split(',').map(Number);
  // The API counts in thousandths.
  if (targets.every((target) => target >= 0.001)) return [...new Set(targets)].sort((a, b) => a - b);
  throw invalid(`--targets must be numbers over 0 such as 2,4,8, not '${text}'.`);
}
