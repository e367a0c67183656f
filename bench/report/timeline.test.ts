import { describe, expect, it } from 'vitest';
import type { PodRecord } from './record.ts';
import { handmade, handmadeScaling, rates } from './testing/handmade.ts';
import { demandOf, lagsOf, lastDropOf, readyOf, replicaSecondsOf, valueAt } from './timeline.ts';

/** As many seconds at a rate below one a second: 0.4 is two requests in five seconds. */
const sparse = (seconds: number, rate: number): { scheduled: number }[] =>
  Array.from({ length: seconds }, (_, at) => ({ scheduled: Math.floor((at + 1) * rate) - Math.floor(at * rate) }));

describe('when the load last came down', () => {
  it.each([
    ['a step', rates([20, 10], [40, 100], [60, 10]), 60],
    ['two steps down', rates([20, 100], [20, 50], [20, 10]), 40],
    ['a load that ends before the run', rates([30, 100], [30, 0]), 30],
    ['a load that stays as it is', rates([30, 100]), 30],
    ['a load that only rises', rates([30, 10], [30, 100]), 60],
    ['a peak within', rates([30, 10], [5, 100], [30, 10]), 35],
    ['few requests, as in compressed time', [...sparse(75, 0.4), ...sparse(75, 2), ...sparse(450, 0.4)], 150],
    ['nothing', [], 0],
  ])('%s', (_, seconds, at) => {
    expect(Math.abs(lastDropOf(handmade(seconds)) - at)).toBeLessThanOrEqual(seconds.length > 200 ? 2 : 0);
  });

  it('is the end of the load where the run went on', () => {
    expect(lastDropOf(handmade(rates([30, 100]), { seconds: 90 }))).toBe(30);
    expect(lastDropOf(handmade(sparse(100, 0.5), { seconds: 200 }))).toBeGreaterThanOrEqual(98);
  });
});

it('a rise is found among few requests too', () => {
  const record = handmade([...sparse(75, 0.4), ...sparse(75, 2)], {
    scaling: handmadeScaling([
      [0, 1, 1],
      [60, 1, 1],
      [75, 1, 1],
      [90, 3, 1],
      [110, 3, 3],
    ]),
  });
  const [lag] = lagsOf(record, 'up');
  expect(Math.abs(lag!.from - 75)).toBeLessThanOrEqual(2);
  expect(lag).toMatchObject({ replicas: 3, asked: 90, until: 110, end: 'met' });
});

describe('what is asked for later', () => {
  const steps = (ready: readonly number[]) =>
    handmadeScaling(ready.map((count, index) => [index * 15, count, 1, count] as const));
  it('goes back to the step of the load that it comes from', () => {
    const record = handmade(rates([50, 10], [100, 100]), { scaling: steps([1, 1, 1, 1, 1, 1, 2, 3, 4, 4]) });
    expect(lagsOf(record, 'up').map(({ replicas, from, asked }) => [replicas, from, asked])).toEqual([
      [2, 50, 90],
      [3, 50, 105],
      [4, 50, 120],
    ]);
  });

  it('goes back to the latest change of a load that goes on rising', () => {
    const ramp = Array.from({ length: 100 }, (_, at) => ({ scheduled: 100 + at * 10 }));
    const record = handmade([...rates([50, 100]), ...ramp], { scaling: steps([1, 1, 1, 1, 1, 2, 3, 4, 5, 6]) });
    for (const { from, asked } of lagsOf(record, 'up').slice(1)) {
      expect(asked - from).toBeGreaterThan(0);
      expect(asked - from).toBeLessThanOrEqual(30);
    }
  });
});

it('of a cluster, which is looked at often and tells only what it decided, changes go back to the load all the same', () => {
  // Up in two steps at 62 and 77 s; down at 140 and 200 s, when a window and a period were over.
  const wanted = (at: number): number => [62, 77, 140, 200, Number.POSITIVE_INFINITY].findIndex((one) => at < one);
  const looks = Array.from({ length: 240 }, (_, at) => [at, [1, 2, 4, 2, 1][wanted(at)]!, 1] as const);
  const pods: PodRecord[] = [
    { name: 'a', states: [{ at: 0, state: 'ready' }], inFlight: [] },
    ...[62, 77, 78].map((at, index) => ({
      name: `b${index}`,
      states: [
        { at: at + 5, state: 'ready' as const },
        { at: [200, 140, 140][index]!, state: 'draining' as const },
      ],
      inFlight: [],
    })),
  ];
  const record = handmade(rates([50, 10], [50, 100], [140, 10]), {
    scaling: { ...handmadeScaling(looks, { pods }), by: 'cluster' },
  });
  const told = (direction: 'up' | 'down') =>
    lagsOf(record, direction).map(({ replicas, from, asked, until }) => [replicas, from, asked, until]);
  expect(told('up')).toEqual([
    [2, 50, 62, 67],
    [4, 50, 77, 83],
  ]);
  expect(told('down')).toEqual([
    [1, 100, 200, 200],
    [2, 100, 140, 140],
  ]);
});

it('a demand that grows after a step among few requests goes back to the step, though means smear it', () => {
  const record = handmade([...sparse(75, 0.4), ...sparse(150, 2)], {
    scaling: handmadeScaling([
      [64, 1, 1],
      [80, 1, 1],
      [96, 2, 1],
      [113, 3, 1],
      [134, 3, 1],
      [150, 4, 1],
      [214, 4, 4],
    ]),
  });
  const lags = lagsOf(record, 'up');
  expect(lags.map(({ asked }) => asked)).toEqual([96, 113, 150]);
  for (const { from } of lags) expect(Math.abs(from - 75)).toBeLessThanOrEqual(2);
});

it('a number that is asked for again counts again', () => {
  const record = handmade(rates([60, 10]), {
    scaling: handmadeScaling([
      [0, 2, 1],
      [10, 2, 2],
      [20, 1, 1],
      [30, 2, 1],
      [35, 2, 2],
    ]),
  });
  expect(lagsOf(record, 'up').map(({ asked, until }) => [asked, until])).toEqual([
    [0, 10],
    [30, 35],
  ]);
});

it('demand is held within the bounds; replicas that are ready are those of the pods', () => {
  const pods: PodRecord[] = [
    { name: 'a', states: [{ at: 0, state: 'ready' }], inFlight: [] },
    {
      name: 'b',
      states: [
        { at: 2, state: 'starting' },
        { at: 4, state: 'ready' },
        { at: 6, state: 'unready' },
        { at: 8, state: 'ready' },
        { at: 9, state: 'gone' },
      ],
      inFlight: [],
    },
  ];
  const ticks = [
    [0, 1, 1, 0],
    [5, 2, 9, 99],
  ] as const;
  const scaling = handmadeScaling(ticks, { max: 3, pods });
  expect(demandOf(scaling)).toEqual([
    [0, 1],
    [5, 3],
  ]);
  expect(readyOf(scaling)).toEqual([
    [0, 1],
    [4, 2],
    [6, 1],
    [8, 2],
    [9, 1],
  ]);
  expect(readyOf({ ...scaling, pods: [] })).toEqual([
    [0, 1],
    [5, 9],
  ]);
  expect(valueAt(readyOf(scaling), 7.9)).toBe(1);
  expect(valueAt(readyOf(scaling), -1)).toBeUndefined();
  expect(replicaSecondsOf(scaling, 10)).toBe(15);
});
