import { describe, expect, it } from 'vitest';
import { judge, readAssertions } from '../assertions.ts';
import type { PodRecord, RunRecord } from '../record.ts';
import { handmade, handmadeScaling, rates } from '../testing/handmade.ts';

const only = (text: string, record: RunRecord) => judge(record, readAssertions(text, 'a.yaml'))[0]!;
type Row = [text: string, what: string, record: RunRecord, holds: boolean, measured: string];
const fine = handmade(rates([10, 10]));

describe('of the scaling', () => {
  // The load rises at 20 s; the metrics ask at 30 s, the policy allows 2 at once and the rest at 45 s, and pods take 5 s.
  const rise = handmade(rates([20, 10], [40, 100], [60, 10]), {
    scaling: handmadeScaling([
      [0, 1, 1],
      [15, 1, 1],
      [30, 2, 1, 4],
      [35, 2, 2, 4],
      [45, 4, 2, 4],
      [50, 4, 4, 4],
      [75, 4, 4, 1],
      [90, 1, 4, 1],
      [95, 1, 1, 1],
    ]),
  });
  const none = handmade(rates([10, 10]), { scaling: handmadeScaling([[0, 1, 1]]) });

  it.each<Row>([
    [
      'scale_up_within_s: 30',
      'in time',
      rise,
      true,
      '30 s to 4, from 20 s on: 10 s until the metrics asked, 15 s for the policy, 5 s for pods becoming ready',
    ],
    ['scale_up_within_s: 29', 'late', rise, false, '30 s to 4'],
    ['scale_up_within_s: 30', 'never asked', none, false, 'the load never asked for more replicas than were ready'],
    [
      'scale_down_within_s: 35',
      'in time',
      rise,
      true,
      '35 s to 1, from 60 s on: 15 s until the metrics asked, 15 s for the policy, 5 s for pods leaving',
    ],
    ['scale_down_within_s: 34', 'late', rise, false, '35 s to 1'],
    ['returns_to_min_within_s: 35', 'in time', rise, true, '35 s, from 60 s on'],
    ['returns_to_min_within_s: 34', 'late', rise, false, '35 s, from 60 s on'],
    ['returns_to_min_within_s: 5', 'never left', none, true, '0 s'],
    ['no_flapping: true', 'up and down once', rise, true, 'never'],
    ['never_above: 4', 'as many', rise, true, 'at most 4, at 45 s'],
    ['never_above: 3', 'more', rise, false, 'at most 4, at 45 s'],
    ['never_below: 1', 'as many', rise, true, 'at least 1'],
    ['never_below: 2', 'fewer later', rise, false, 'at least 1, at 90 s'],
    ['never_below: 5', 'never so many', rise, false, '5 were never ready'],
    ['reaches: 4', 'as many', rise, true, 'at most 4 ready'],
    ['reaches: 5', 'fewer', rise, false, 'at most 4 ready'],
    ['max_replica_seconds: 270', 'as much', rise, true, '270, 2.25 replicas on average'],
    ['max_replica_seconds: 269', 'more', rise, false, '270'],
    ['max_syncs_without_metrics: 0', 'none', rise, true, 'none'],
    ['never_above: 3', 'nothing scaled', fine, false, 'nothing scaled in this run'],
    ['max_in_flight_per_pod: 3', 'no pod was looked at', rise, false, 'no pod was looked at while it was ready'],
  ])('%s, %s', (text, _, record, holds, measured) => {
    const verdict = only(text, record);
    expect(verdict.measured).toContain(measured);
    expect(verdict.holds).toBe(holds);
    expect(verdict.advice === undefined).toBe(holds);
  });

  it('advice goes by where most of the time went', () => {
    expect(only('scale_up_within_s: 1', rise).advice).toContain('while the policy held back');
    const slowPods = handmade(rates([20, 10], [60, 100]), {
      scaling: handmadeScaling([
        [0, 1, 1],
        [21, 2, 1],
        [70, 2, 2],
      ]),
    });
    expect(only('scale_up_within_s: 1', slowPods).advice).toContain('until pods were ready');
    const slowMetrics = handmade(rates([20, 10], [60, 100]), {
      scaling: handmadeScaling([
        [0, 1, 1],
        [15, 1, 1],
        [60, 2, 1],
        [61, 2, 2],
      ]),
    });
    expect(only('scale_up_within_s: 1', slowMetrics).advice).toContain('before the metrics asked');
  });

  it('of a cluster, which does not tell what its metrics asked for, the time until it decided is one', () => {
    const scaling = handmadeScaling([
      [0, 1, 1],
      [50, 2, 1],
      [55, 2, 2],
      [95, 1, 2],
      [96, 1, 1],
    ]);
    const ticks = scaling.ticks.map(({ wanted: _, ...tick }) => tick);
    const record = handmade(rates([20, 10], [40, 100], [60, 10]), { scaling: { ...scaling, by: 'cluster', ticks } });
    expect(only('scale_up_within_s: 30', record)).toMatchObject({
      measured: '35 s to 2, from 20 s on: 30 s until it was decided, 5 s for pods becoming ready',
      advice: expect.stringContaining('before more were decided on'),
    });
    expect(only('scale_down_within_s: 30', record)).toMatchObject({
      measured: '36 s to 1, from 60 s on: 35 s until it was decided, 1 s for pods leaving',
      advice: expect.stringContaining('behavior.scaleDown.stabilizationWindowSeconds'),
    });
  });

  it('what the end of the run cuts off does not hold, and is told as such', () => {
    const cut = handmade(rates([20, 10], [20, 100]), {
      scaling: handmadeScaling([
        [0, 1, 1],
        [15, 1, 1],
        [30, 4, 1],
      ]),
    });
    const verdict = only('scale_up_within_s: 60', cut);
    expect(verdict).toMatchObject({ holds: false, advice: expect.stringContaining('let it go on for longer') });
    expect(verdict.measured).toContain('20 s to 4, not reached by the end of the run');
    expect(only('returns_to_min_within_s: 60', cut)).toMatchObject({
      holds: false,
      measured: 'still at 4 at the end, 0 s after the load came down',
    });
    const up = handmade(rates([20, 100], [20, 10]), { scaling: handmadeScaling([[0, 4, 4]]) });
    expect(only('returns_to_min_within_s: 60', up)).toMatchObject({
      holds: false,
      measured: 'still at 4 at the end, 20 s after the load came down',
      advice: expect.stringContaining('longer after the load'),
    });
    expect(only('returns_to_min_within_s: 15', up).advice).toContain('stabilizationWindowSeconds');
  });

  it('a demand that is withdrawn before it was met counts until then; one beyond the maximum is held to it', () => {
    const record = handmade(rates([20, 10], [60, 100]), {
      scaling: handmadeScaling(
        [
          [0, 1, 1],
          [15, 1, 1],
          [30, 2, 1, 900],
          [50, 2, 2, 1],
        ],
        { max: 3 },
      ),
    });
    expect(only('scale_up_within_s: 30', record)).toMatchObject({
      holds: true,
      measured: expect.stringContaining('30 s to 3, then no longer asked for'),
    });
  });

  const flapping = handmade(rates([100, 10]), {
    scaling: handmadeScaling([
      [0, 1, 1],
      [10, 4, 1],
      [20, 6, 4],
      [30, 2, 6],
      [70, 5, 2],
      [90, 1, 5],
    ]),
  });
  it.each([
    ['no_flapping: true', false, '2 times: 1 to 6 to 2 to 5 by 70 s; 6 to 2 to 5 to 1 by 90 s'],
    ['no_flapping: {allowed: 2}', true, '2 times'],
    // From 20 s, the last of the steps up, until 70 s.
    ['no_flapping: {window_s: 50}', false, '1 time: 1 to 6 to 2 to 5 by 70 s'],
    ['no_flapping: {window_s: 49}', true, 'never'],
  ])('%s', (text, holds, measured) => {
    expect(only(text, flapping)).toMatchObject({ holds, measured: expect.stringContaining(measured) });
    // A cluster is looked at: a decision is seen several times, or only when it was carried out.
    const { scaling } = flapping;
    const seen = [
      scaling!.ticks.flatMap((tick) => [tick, { ...tick, at: tick.at + 1 }]),
      scaling!.ticks.map((tick) => ({ ...tick, current: tick.desired })),
    ];
    for (const ticks of seen) {
      const record = { ...flapping, scaling: { ...scaling!, ticks } };
      expect(only(text, record)).toMatchObject({ holds, measured: expect.stringContaining(measured) });
    }
  });

  it('syncs without a metric are those in which one has no value, or that failed', () => {
    const scaling = handmadeScaling(
      [
        [0, 1, 1],
        [15, 1, 1],
      ],
      { tick: { metrics: [{ name: 'm', target: 4 }], scalingActive: 'FailedGetPodsMetric' } },
    );
    expect(only('max_syncs_without_metrics: 1', handmade(rates([20, 10]), { scaling }))).toMatchObject({
      holds: false,
      measured: '2 of 2 syncs, first at 0 s (FailedGetPodsMetric)',
    });
  });

  it('pods, where they were seen, tell when they were ready, and how full each was', () => {
    const pods: PodRecord[] = [
      { name: 'a', states: [{ at: 0, state: 'ready' }], inFlight: [[5, 3]] },
      {
        name: 'b',
        states: [
          { at: 15.5, state: 'starting' },
          { at: 22, state: 'ready' },
          { at: 50, state: 'draining' },
          { at: 55, state: 'gone' },
        ],
        // What it has while it starts, or drains, is not held against it.
        inFlight: [
          [20, 9],
          [25, 7],
          [52, 40],
        ],
      },
    ];
    const record = handmade(rates([12, 10], [40, 100], [20, 10]), {
      scaling: handmadeScaling(
        [
          [0, 1, 1],
          [15, 2, 1],
          [30, 2, 2],
          [45, 1, 2],
        ],
        { pods },
      ),
    });
    expect(only('scale_up_within_s: 10', record)).toMatchObject({
      holds: true,
      measured: expect.stringMatching(/^10 s to 2/),
    });
    expect(only('max_in_flight_per_pod: 7', record)).toMatchObject({ holds: true, measured: '7 in b at 25 s' });
    expect(only('max_in_flight_per_pod: 6', record).holds).toBe(false);
    expect(only('reaches: 2', record).holds).toBe(true);
  });
});
