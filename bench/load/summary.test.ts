import { expect, it } from 'vitest';
import type { LoadRecord } from '../report/record.ts';
import { summaryOf } from './summary.ts';

const latency = { p50: 810, p90: 1_200, p99: 15_000, p999: 20_000, max: 21_000 };
const counts = { scheduled: 3_000, ok: 2_990, wrong: 1, failed: 5, dropped: 4 };
const statuses = { 200: 2_991, 503: 4, none: 1 };
const total = { ...counts, latency, statuses, versions: { 'm/1': 2_991 }, behindP99: 100 };
const facts = { seconds: 60, compression: 2, closed: false };

function summary(change: Partial<LoadRecord['total']> = {}, closed = false, problems: string[] = []): string {
  return summaryOf({ intervals: [], total: { ...total, ...change }, problems }, { ...facts, closed });
}

it('tells what came of a load', () => {
  expect(
    summary({ dropped: 0 }, false, ['m: status 503: busy']),
  ).toBe(`3,000 requests in 30 s: 2,990 right (99.7/s), 1 wrong, 5 failed, 0 dropped
latency   p50 0.81 ms, p90 1.2 ms, p99 15 ms, p99.9 20 ms, max 21 ms; from when it was due
behind    p99 0.1 ms: how late the driver itself was
statuses  200 2,991, 503 4, none 1
versions  m/1 2,991
problem   m: status 503: busy
`);
});

it('divides by the time until the last answer was in, where that is after the schedule', () => {
  const answered = (answeredSeconds: number): string | undefined =>
    /right \((.*?)\)/.exec(summary({ ok: 1_800, answeredSeconds }))?.[1];
  expect(answered(90)).toBe('20/s, the last of them after 90 s');
  expect(answered(12)).toBe('60/s');
  expect(answered(31)).toBe('58.1/s');
});

it.each([
  ['was late beside what it measured', { behindP99: 2_000 }, true],
  ['was late by next to nothing', { behindP99: 1_400, latency: { ...latency, p99: 2_000 } }, false],
  ['was late by little of what it measured', { behindP99: 2_000, latency: { ...latency, p99: 50_000 } }, false],
])('warns where the driver %s: %j', (_, change, warns) =>
  expect(summary(change).includes('The driver was late')).toBe(warns),
);

it('says what dropped requests mean, and nothing of a schedule where there is none', () => {
  expect(summary()).toContain('Requests were dropped');
  const { behindP99: _, ...closedTotal } = total;
  const closed = summaryOf({ intervals: [], total: { ...closedTotal, dropped: 0 } }, { ...facts, closed: true });
  expect(closed).toContain('from sending');
  expect(closed).not.toContain('behind');
});
