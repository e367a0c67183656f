import { createHash } from 'node:crypto';
import { RUNTIME } from '../contract/runtime.ts';
import { KEDGE_VERSION } from '../contract/version.ts';
import type { LoaderConfig } from './config.ts';

export type JudgingLimits = Pick<
  LoaderConfig,
  'probeLoadMs' | 'probeRunMs' | 'probeMemoryBytes' | 'memoryBudgetBytes' | 'maxVersionBytes'
>;

/**
 * What a judgement on a version depends on beside its bytes: the runtime, this release, and the limits that it was given. Another digest
 * means that the same bytes may be judged otherwise now. 16 hexadecimal digits of sha256.
 */
export function judgedByOf(
  { probeLoadMs, probeRunMs, probeMemoryBytes, memoryBudgetBytes, maxVersionBytes }: JudgingLimits,
  { runtime = RUNTIME.version, release = KEDGE_VERSION }: { runtime?: string; release?: string } = {},
): string {
  const limits = [probeLoadMs, probeRunMs, probeMemoryBytes, memoryBudgetBytes ?? null, maxVersionBytes];
  return createHash('sha256')
    .update(JSON.stringify([runtime, release, limits]))
    .digest('hex')
    .slice(0, 16);
}
