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
