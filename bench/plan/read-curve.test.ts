import { describe, expect, it } from 'vitest';
import type { LoadInterval } from '../report/record.ts';
import { pointsOfRun, readCurve } from './read-curve.ts';

const POINTS = [
  { rate: 100, inFlight: 1, p99Ms: 10 },
  { rate: 200, inFlight: 4, p99Ms: 20.5 },
];

function interval(at: number, scheduled: number, over: Partial<LoadInterval> = {}): LoadInterval {
  const latency = { p50: 1_000, p90: 2_000, p99: 3_000, p999: 4_000, max: 5_000 };
  const counts = { scheduled, ok: scheduled, wrong: 0, failed: 0, dropped: 0, statuses: {}, versions: {} };
  return { at, ...counts, latency, inFlight: 2, ...over };
}

describe('a curve is read', () => {
  it.each([
    ['JSON', JSON.stringify({ points: POINTS })],
    ['CSV', 'rate,inFlight,p99Ms\n100,1,10\n200,4,20.5\n'],
    ['CSV in another order', 'p99Ms, rate, inFlight, note\n\n10, 100, 1, first\n20.5, 200, 4, second'],
  ])('from %s', (_, text) => expect(readCurve(text, 'curve').points).toEqual(POINTS));

  it.each([
    ['no points', '{"points": []}', /it has none/],
    ['a column that is missing', 'rate,inFlight\n100,1\n', /this one is none: {"rate":100,"inFlight":1,"p99Ms":null}/],
    ['something else', '{"rows": 4}', /it has no points/],
    ['points that are none', '{"points": [7]}', /this one is none/],
    ['broken JSON', '{"points": [', /JSON/],
  ])('or says what is wrong: %s', (_, text, message) => {
    expect(() => readCurve(text, 'curve.json')).toThrow(message);
    expect(() => readCurve(text, 'curve.json')).toThrow(
      /^curve\.json is no capacity curve.*kedge bench plan --measure/s,
    );
  });
});

describe('of a run', () => {
  it('each rate that was held is a point, at the mean of its seconds', () => {
    const latency = { p50: 1_000, p90: 2_000, p99: 5_000, p999: 6_000, max: 7_000 };
    const intervals = [
      ...[0, 1, 2].map((at) => interval(at, 100)),
      interval(3, 105, { inFlight: 6, latency }),
      ...[4, 5, 6].map((at) => interval(at, 200, { ok: 150, inFlight: 9 })),
      interval(7, 400),
    ];
    expect(pointsOfRun({ compression: 1, load: { intervals, total: undefined! } })).toEqual([
      { rate: 101.25, inFlight: 3, p99Ms: 3.5 },
      { rate: 150, inFlight: 9, p99Ms: 3 },
    ]);
  });

  it('seconds in which a backlog grew are no rate that is held, though all of it was answered later', () => {
    const light = [0, 1, 2, 3].map((at) => interval(at, 100));
    // 150 a second are answered: 50 more are left each second.
    const behind = [4, 5, 6, 7].map((at, index) => interval(at, 200, { inFlight: 52 + 50 * index }));
    const of = (intervals: LoadInterval[]) => pointsOfRun({ compression: 1, load: { intervals, total: undefined! } });
    expect(of([...light, ...behind])).toEqual([{ rate: 100, inFlight: 2, p99Ms: 3 }]);
    // A rate that is taken up has more under way, and keeps it.
    const taken = [4, 5, 6, 7].map((at) => interval(at, 200, { inFlight: 52 }));
    expect(of([...light, ...taken]).map(({ rate }) => rate)).toEqual([100, 200]);
    expect(() => of(behind)).toThrow(/without falling behind/);
  });

  it('in compressed time is none', () => {
    const load = { intervals: [interval(0, 1)], total: undefined! };
    expect(() => pointsOfRun({ compression: 10, load })).toThrow(/compressed/);
    expect(() => pointsOfRun({ compression: 1, load })).toThrow(/three seconds/);
  });
});
