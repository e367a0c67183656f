import { type ErrorCode, hasCode, KedgeError, messageOf } from '../../contract/errors.ts';
import { type Refusal, type RefusalCode, stateOf } from '../../contract/refusal.ts';

/** Thrown by the warm-up for an answer that is wrong, where nothing else was. */
export class WarmUpRefused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'WarmUpRefused';
    this.refusal = refusal;
  }
}

const OF_LOAD: Partial<Record<ErrorCode, RefusalCode>> = {
  'object-corrupt': 'digest-mismatch',
  'engine-failed': 'load-failed',
  'engine-timeout': 'load-timeout',
  'engine-crashed': 'process-crashed',
  'engine-memory': 'memory-limit',
};

const OF_RUN: Partial<Record<ErrorCode, RefusalCode>> = {
  'engine-failed': 'run-failed',
  'request-invalid': 'run-failed',
  'document-invalid': 'run-failed',
  'engine-timeout': 'run-timeout',
  'engine-crashed': 'process-crashed',
  'engine-memory': 'memory-limit',
};

/**
 * What a failed load or warm-up means for the version. An error without a code is taken for one of the machine: it may pass. So may
 * other bytes than vouched for: the loader saw the right ones, and a network file system can be behind. And so may all that is wrong with a
 * version that answered before.
 */
export function judgeLoad(
  error: unknown,
  { warming, answered }: { warming: boolean; answered: boolean },
): { state: 'refused' | 'failed'; reasons: Refusal[] } {
  const reasons = [refusalOf(error, warming)];
  return { state: answered || hasCode(error, 'object-corrupt') ? 'failed' : stateOf(reasons), reasons };
}

/** Why a version fails that answered, and whose process could not be started again. */
export function judgeLost(reason: KedgeError): Refusal[] {
  const cause = reason.cause instanceof KedgeError ? OF_LOAD[reason.cause.code] : undefined;
  return [
    { code: cause ?? 'process-crashed', message: `It answered, and then its process ended: ${messageOf(reason)}` },
  ];
}

/** Why a version that keeps ending its process fails. */
export function judgeUnfit(reason: KedgeError): Refusal[] {
  const code = OF_RUN[reason.code] ?? 'process-crashed';
  return [{ code, message: `It answered, and then kept ending its process: ${messageOf(reason)}` }];
}

function refusalOf(error: unknown, warming: boolean): Refusal {
  if (error instanceof WarmUpRefused) return error.refusal;
  const table = warming ? OF_RUN : OF_LOAD;
  const code = error instanceof KedgeError ? table[error.code] : undefined;
  if (code) return { code, message: messageOf(error) };
  const what = warming ? 'could not be tried out' : 'could not be read from the volume';
  return { code: 'fetch-failed', message: `The version ${what}: ${messageOf(error)}` };
}
