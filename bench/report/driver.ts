import type { LoadTotal } from './record.ts';

/** Behind its schedule by more than this share of the p99 that it tells, the driver measured itself. */
const OWN_SHARE = 0.1;
/** And by more than this, in microseconds: a timer is a millisecond coarse. */
const OWN_LEAST = 1_500;

/** Whether the driver was so late that the latencies tell of it as much as of the servers. */
export function isDriverLate<Total extends Pick<LoadTotal, 'behindP99' | 'latency'>>(
  total: Total,
): total is Total & { behindP99: number } {
  const { behindP99 = 0, latency } = total;
  return behindP99 > OWN_LEAST && behindP99 > OWN_SHARE * (latency?.p99 ?? 0);
}
