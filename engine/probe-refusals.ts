import { type ErrorCode, KedgeError, messageOf } from '../contract/errors.ts';
import type { Refusal, RefusalCode } from '../contract/refusal.ts';
import type { Death } from './host-death.ts';
import type { ProbeLimits } from './probe.ts';
import type { Try } from './probe-tries.ts';

const LOAD_CODES: Partial<Record<ErrorCode, RefusalCode>> = {
  'object-corrupt': 'digest-mismatch',
  'engine-timeout': 'load-timeout',
  'engine-memory': 'memory-limit',
  'engine-crashed': 'process-crashed',
};
const RUN_CODES: Partial<Record<ErrorCode, RefusalCode>> = {
  'engine-timeout': 'run-timeout',
  'engine-memory': 'memory-limit',
  'engine-crashed': 'process-crashed',
};

/** Whether an error of a run ended the process, so that nothing more can be tried. */
export function endedProcess(thrown: unknown): boolean {
  return thrown instanceof KedgeError && thrown.code in RUN_CODES;
}

/** Why a version cannot be loaded. */
export function loadRefusal(thrown: unknown, limits: ProbeLimits): Refusal {
  return refusalOf(thrown, LOAD_CODES, 'load-failed', limits, 'loadMs');
}

/** Why a version fails on a run. */
export function runRefusal(thrown: unknown, limits: ProbeLimits): Refusal {
  return refusalOf(thrown, RUN_CODES, 'run-failed', limits, 'runMs');
}

/** Why a version fails on a sample. @param sample its number from 1 */
export function sampleRefusal(thrown: unknown, sample: number, limits: ProbeLimits): Refusal {
  const refusal = runRefusal(thrown, limits);
  return { ...refusal, message: `Sample ${sample}: ${refusal.message}` };
}

/** Why a version that nobody made samples for may not serve: made-up inputs ended its process. */
export function madeUpRefusal(thrown: unknown, { title, hostile }: Try, limits: ProbeLimits): Refusal {
  const refusal = runRefusal(thrown, limits);
  const remedy = hostile ? 'If such values never come' : 'If the model is sound';
  return {
    ...refusal,
    message: `With made-up inputs (${title}): ${refusal.message} ${remedy}, publish it with samples of what does come (kedge publish --details): it is then tried with those.`,
  };
}

function refusalOf(
  thrown: unknown,
  codes: Partial<Record<ErrorCode, RefusalCode>>,
  other: RefusalCode,
  limits: ProbeLimits,
  limit: 'loadMs' | 'runMs',
): Refusal {
  const code = (thrown instanceof KedgeError && codes[thrown.code]) || other;
  const refusal: Refusal = { code, message: messageOf(thrown) };
  if (code === 'load-timeout' || code === 'run-timeout') refusal.expected = `at most ${limits[limit]} ms`;
  if (code === 'memory-limit') refusal.expected = `at most ${limits.memoryBytes} bytes`;
  const found = thrown instanceof KedgeError ? foundOf(thrown.details['death'] as Death | undefined) : undefined;
  return found === undefined ? refusal : { ...refusal, found };
}

function foundOf(death: Death | undefined): string | undefined {
  if (death?.kind === 'memory') return `${death.memoryBytes} bytes`;
  return death?.kind === 'exit' ? (death.signal ?? `exit code ${death.code}`) : undefined;
}
