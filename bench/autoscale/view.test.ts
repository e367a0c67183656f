import { expect, it } from 'vitest';
import type { Look } from '../load/tally.ts';
import type { ScalingTick } from '../report/record.ts';
import { tickLine } from './view.ts';

const tick: ScalingTick = {
  at: 30.2,
  current: 1,
  desired: 2,
  ready: 1,
  metrics: [
    { name: 'cpu', target: 70 },
    { name: 's0-prometheus', value: 6.2345, target: 4 },
  ],
  ableToScale: 'SucceededRescale',
  scalingActive: 'ValidMetricFound',
  scalingLimited: 'DesiredWithinRange',
};
const latency = { p50: 1, p90: 1, p99: 1, p999: 1, max: 104_000 };
const look: Look = {
  at: 30,
  inFlight: 7,
  scheduled: 9,
  ok: 8,
  wrong: 0,
  failed: 1,
  dropped: 0,
  latency,
  statuses: {},
  versions: {},
};

it('tells of one sync', () => {
  const line = tickLine(tick, [look, { ...look, latency: { ...latency, max: 105_000 } }, look], 3);
  expect(line).toMatch(/^ +30 s +8 ok\/s +worst 105 ms +7 in flight +3 NOT ANSWERED RIGHTLY/);
  expect(line).toMatch(/cpu \? of 70, s0-prometheus 6.23 of 4 +1 ready +1 -> 2 replicas$/);
});

it('tells of requests that wait for a pod', () => {
  const line = tickLine(
    { ...tick, current: 0, desired: 1, ready: 0, held: 3, keda: 'KEDAScaleTargetActivated' },
    [],
    1,
  );
  expect(line).toMatch(/3 HELD +0 ready +0 -> 1 replicas +KEDAScaleTargetActivated$/);
});

it.each([
  [{ scalingActive: 'FailedGetExternalMetric' }, 'FailedGetExternalMetric'],
  [{ ableToScale: 'ScaleDownStabilized', scalingLimited: 'TooFewReplicas' }, 'ScaleDownStabilized'],
  [{ scalingLimited: 'TooManyReplicas' }, 'TooManyReplicas'],
])('gives the reason of %j', (conditions, reason) =>
  expect(tickLine({ ...tick, ...conditions }, [], 1)).toMatch(new RegExp(`${reason}$`)),
);
