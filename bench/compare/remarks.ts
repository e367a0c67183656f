import { isDriverLate } from '../report/driver.ts';
import { latencyText, numberText } from '../report/format.ts';
import type { LoadTotal } from '../report/record.ts';

/** Fewer would be in the way of an open loop by themselves: a pause of a quarter of a second at 1,000 a second. */
const LEAST_OUTSTANDING = 256;

/** Most requests under way in an open loop beside a closed one of so many connections. */
export function outstandingBeside(connections: number): number {
  return Math.max(LEAST_OUTSTANDING, connections * 4);
}

/** What is to be known of an open loop beside its figures, a line each. */
export function remarks(
  total: Pick<LoadTotal, 'scheduled' | 'dropped' | 'behindP99' | 'latency'>,
  { problems, maxOutstanding }: { problems: readonly string[] | undefined; maxOutstanding: number },
): string[] {
  const { scheduled, dropped } = total;
  const lines = problems?.slice(0, 1) ?? [];
  if (dropped > 0) {
    lines.push(
      `${numberText(dropped)} of ${numberText(scheduled)} requests were not sent, as ${numberText(maxOutstanding)} were under way: it fell behind the rate (a lower --rate).`,
    );
  }
  if (isDriverLate(total)) {
    lines.push(
      `the driver itself was ${latencyText(total.behindP99)} behind its schedule (p99): latencies at the rate tell of it as much as of the server.`,
    );
  }
  return lines;
}
