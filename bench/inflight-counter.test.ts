import { expect, it } from 'vitest';
import { inFlightSecondsIn } from './inflight-counter.ts';

it.each([
  { lines: ['kedge_inflight_seconds_total 12.5'], seconds: 12.5 },
  { lines: ['kedge_inflight_seconds_total{pod="a"} 1e-3'], seconds: 0.001 },
  { lines: ['kedge_inflight_seconds_total{a="}",b="1"} 1.5', 'kedge_inflight_seconds_total{a="2"} 2'], seconds: 3.5 },
  {
    lines: ['# TYPE kedge_inflight_seconds_total counter', 'kedge_inflight_seconds_total 3 1700000000000'],
    seconds: 3,
  },
  {
    lines: ['# HELP kedge_inflight_seconds_total 7', 'kedge_inflight_seconds_total_other 7', 'kedge_inflight 1'],
    seconds: undefined,
  },
  { lines: [], seconds: undefined },
])('reads $seconds of $lines', ({ lines, seconds }) => expect(inFlightSecondsIn(lines.join('\n'))).toBe(seconds));
