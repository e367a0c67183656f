import type { HoldingStats } from '../../cluster/proxy/holding.ts';
import type { ScalingTick, ZeroRecord } from '../../report/record.ts';
import { rounded } from '../syncs.ts';

/**
 * What is left of requests that were held, for a record. Pure.
 * @param toRun seconds of the run, of a time on the clock of the proxy
 * @param series how many were held, in seconds of the run
 */
export function zeroRecordOf(
  { most, rejected, expired, wakings }: HoldingStats,
  ticks: readonly ScalingTick[],
  { toRun, series, startDelay }: { toRun(ms: number): number; series: ZeroRecord['held']; startDelay: number },
): ZeroRecord {
  const woken = ticks.filter(({ keda, desired, current }) => keda !== undefined && desired > current);
  return {
    held: series.map(([at, count]) => [rounded(at), count] as const),
    most,
    rejected,
    expired,
    startDelay,
    wakings: wakings.map(({ at, ready, answered, held }) => {
      const from = rounded(toRun(at));
      const until = ready === undefined ? Number.POSITIVE_INFINITY : toRun(ready);
      const activated = woken.find((tick) => tick.at >= from && tick.at <= until)?.at;
      return {
        at: from,
        held,
        ...(activated !== undefined && { activated }),
        ...(ready !== undefined && { ready: rounded(until) }),
        ...(answered !== undefined && { answered: rounded(toRun(answered)) }),
      };
    }),
  };
}
