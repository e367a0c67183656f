import { type CatalogUnavailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { type Refusal, type RefusalCode, stateOf } from '../contract/refusal.ts';
import { backoffMs } from '../platform/backoff.ts';
import { isoTime } from '../platform/clock.ts';
import { type Models, withEntry } from './catalog-edit.ts';

/** How often a version that failed is tried again. One that could not be fetched is tried for ever: that is not its fault. */
export const MAX_RETRIES = 3;
const RETRY = { baseMs: 30_000, maxMs: 900_000 };
const FETCH_RETRY = { baseMs: 5_000, maxMs: 300_000 };

export interface Unsettled {
  version: number;
  bare: boolean;
  fingerprint: string;
  digest?: string | undefined;
  reasons: readonly Refusal[];
  /** What the judgement depended on beside the bytes, as a digest. */
  judgedBy: string;
}

/**
 * The catalog entry of a version that may not serve, and when it is tried again. `random` is in [0, 1). What was known of the same bytes
 * before stands beside, and behind, that they could not be fetched now.
 */
export function settleUnavailable(
  { version, bare, fingerprint, digest, reasons, judgedBy }: Unsettled,
  before: CatalogVersion | undefined,
  now: number,
  random: number,
): CatalogUnavailable {
  const again = before && before.state !== 'available' && before.fingerprint === fingerprint ? before : undefined;
  const attempts = (again?.judgedBy === judgedBy ? again.attempts : 0) + 1;
  const state = stateOf(reasons);
  const known = (isOnly(reasons, 'fetch-failed') && again?.reasons) || [];
  const all = [...reasons, ...known.filter(({ code }) => code !== 'fetch-failed')];
  const unchanged = again?.state === state && codesOf(again.reasons) === codesOf(all);
  const wait = retryMs(state, reasons, attempts, random);
  return {
    version,
    state,
    since: unchanged ? again.since : isoTime(now),
    bare,
    fingerprint,
    ...(digest !== undefined && { digest }),
    reasons: all,
    attempts,
    judgedBy,
    ...(wait !== undefined && { retryAt: isoTime(now + wait) }),
  };
}

function retryMs(
  state: CatalogUnavailable['state'],
  reasons: readonly Refusal[],
  attempts: number,
  random: number,
): number | undefined {
  if (state !== 'failed') return undefined;
  if (isOnly(reasons, 'fetch-failed')) return backoffMs(attempts - 1, FETCH_RETRY, random);
  return attempts > MAX_RETRIES ? undefined : backoffMs(attempts - 1, RETRY, random);
}

/** Versions that could not be fetched when they were tried last, now that the bucket answers again: they are tried at once. */
export function hasten(models: Models, now: number): Models {
  let hastened = models;
  for (const { name, versions } of models) {
    for (const entry of versions) {
      if (isAvailable(entry) || entry.retryAt === undefined || entry.reasons[0]?.code !== 'fetch-failed') continue;
      if (Date.parse(entry.retryAt) > now) hastened = withEntry(hastened, name, { ...entry, retryAt: isoTime(now) });
    }
  }
  return hastened;
}

function isOnly(reasons: readonly Refusal[], only: RefusalCode): boolean {
  return reasons.length > 0 && reasons.every(({ code }) => code === only);
}

function codesOf(reasons: readonly Refusal[]): string {
  return reasons.map(({ code }) => code).join();
}
