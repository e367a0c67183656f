import { expect, it } from 'vitest';
import type { ScalingTick } from '../../report/record.ts';
import { zeroRecordOf } from './wakings.ts';

const tick = (at: number, current: number, desired: number, keda?: string): ScalingTick => ({
  at,
  current,
  desired,
  ready: current,
  metrics: [],
  ...(keda !== undefined && { keda }),
});

it('tells when requests were held, when KEDA asked for a pod, and when one answered, in seconds of the run', () => {
  const ticks = [
    tick(10, 0, 0),
    tick(30, 0, 1, 'KEDAScaleTargetActivated'),
    tick(60, 1, 3),
    tick(200, 3, 0, 'KEDAScaleTargetDeactivated'),
    tick(400, 0, 1, 'KEDAScaleTargetActivated'),
  ];
  const wakings = [
    { at: 1_000, ready: 2_000, answered: 2_100, held: 7 },
    // A pod that died: its successor was asked for by nobody but the Deployment.
    { at: 3_000, ready: 3_500, answered: 3_600, held: 1 },
    { at: 9_000, held: 2 },
  ];
  const record = zeroRecordOf({ now: 2, most: 7, rejected: 1, expired: 3, wakings }, ticks, {
    // The run began at 0 of that clock, 25 times compressed.
    toRun: (ms) => (ms / 1_000) * 25,
    series: [
      [25.0004, 7],
      [50, 0],
    ],
    startDelay: 4,
  });
  expect(record).toEqual({
    held: [
      [25, 7],
      [50, 0],
    ],
    most: 7,
    rejected: 1,
    expired: 3,
    startDelay: 4,
    wakings: [
      { at: 25, activated: 30, ready: 50, answered: 52.5, held: 7 },
      { at: 75, ready: 87.5, answered: 90, held: 1 },
      { at: 225, activated: 400, held: 2 },
    ],
  });
});
