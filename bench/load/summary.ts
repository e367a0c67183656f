import { isDriverLate } from '../report/driver.ts';
import { latencyText, numberText, secondsText } from '../report/format.ts';
import type { LoadRecord } from '../report/record.ts';

export interface SummaryFacts {
  /** On the clock of the run. */
  seconds: number;
  compression: number;
  /** No schedule: nothing is behind it. */
  closed: boolean;
}

/** Of the time of the schedule: answers that go on for longer tell of a server that had fallen behind. */
const LATE = 1.05;

/** What came of a load, for a person. */
export function summaryOf(
  { total, problems = [] }: LoadRecord,
  { seconds, compression, closed }: SummaryFacts,
): string {
  const { scheduled, ok, wrong, failed, dropped, latency, statuses, versions, behindP99 } = total;
  const wall = seconds / compression;
  const until = Math.max(wall, total.answeredSeconds ?? 0);
  // What the last few took is no news.
  const after = until > wall * LATE ? `, the last of them after ${secondsText(until)}` : '';
  const rate = `${numberText(ok / until)}/s${after}`;
  const lines = [
    `${numberText(scheduled)} requests in ${secondsText(wall)}: ${numberText(ok)} right (${rate}), ${numberText(wrong)} wrong, ${numberText(failed)} failed, ${numberText(dropped)} dropped`,
  ];
  if (latency) {
    const { p50, p90, p99, p999, max } = latency;
    const from = closed ? 'from sending, on a connection that waited for its last answer' : 'from when it was due';
    lines.push(
      `latency   p50 ${latencyText(p50)}, p90 ${latencyText(p90)}, p99 ${latencyText(p99)}, p99.9 ${latencyText(p999)}, max ${latencyText(max)}; ${from}`,
    );
  }
  if (behindP99 !== undefined) lines.push(`behind    p99 ${latencyText(behindP99)}: how late the driver itself was`);
  lines.push(`statuses  ${pairs(statuses)}`, `versions  ${pairs(versions)}`);
  for (const problem of problems) lines.push(`problem   ${problem}`);
  if (isDriverLate(total)) {
    lines.push(
      'The driver was late, and the latencies tell of it as much as of the server: send less, give it --workers, or let it run on another machine.',
    );
  }
  if (dropped > 0) {
    lines.push(
      'Requests were dropped as too many were under way: the server did not keep up. --outstanding raises the limit.',
    );
  }
  return `${lines.join('\n')}\n`;
}

function pairs(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([name, count]) => `${name} ${numberText(count)}`);
  return all.join(', ') || 'none';
}
