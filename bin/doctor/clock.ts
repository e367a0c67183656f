import { type Finding, Findings } from './finding.ts';

/** S3 refuses what is signed with a clock that is this far off. */
const REFUSED_MS = 15 * 60_000;
/** What a second's resolution and a slow answer explain. */
const EXPLAINED_MS = 5_000;

/**
 * What a difference between two clocks means. Requests are signed with the time, and incomplete versions and locks are judged by it.
 * @param skewMs this machine's time less that of `other`, in milliseconds
 */
export function skewFinding(skewMs: number, other: string): Finding {
  const found = new Findings('clock');
  const seconds = Math.abs(skewMs / 1_000).toFixed(0);
  const sentence = `this clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} that of ${other}`;
  const advice = 'Set the clock of this machine by NTP (on Kubernetes: of its node).';
  if (Math.abs(skewMs) <= EXPLAINED_MS) found.good(`in step with that of ${other}`);
  else if (Math.abs(skewMs) < REFUSED_MS) found.warn(`${sentence}; from 15 minutes on S3 refuses requests`, advice);
  else found.bad(`${sentence}; S3 refuses requests signed with it`, advice);
  return found.list[0]!;
}

/** Asks an HTTP server for its time. @returns nothing where it does not tell */
export async function clockOf(url: string, now: () => number, signal: AbortSignal): Promise<Finding | undefined> {
  const before = now();
  const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal }).catch(() => undefined);
  const told = Date.parse(response?.headers.get('date') ?? '');
  if (Number.isNaN(told)) return undefined;
  // A date is cut to its second.
  return skewFinding((before + now()) / 2 - (told + 500), new URL(url).host);
}
