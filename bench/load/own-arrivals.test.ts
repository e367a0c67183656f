import { expect, it } from 'vitest';
import type { LoadOrder } from './load-entry.ts';
import { type OwnArrival, ownArrivals } from './own-arrivals.ts';
import { parseSchedule } from './schedule-spec.ts';

function arrivals(index: number, workers: number, seed = 1): OwnArrival[] {
  const request = { model: 'm', body: '' };
  const options = {
    ...{ url: '', maxOutstanding: 1, timeoutMs: 1, coarse: false, compression: 2, seed },
    requests: [
      { ...request, weight: 1 },
      { ...request, weight: 3 },
    ],
    schedule: parseSchedule('poisson:100/20s', String),
  };
  return [...ownArrivals({ index, workers, options } satisfies LoadOrder)];
}

it('threads share the arrivals of one, each the same request at the same time, however many they are', () => {
  const all = arrivals(0, 1);
  const shared = [0, 1, 2].map((index) => arrivals(index, 3));
  expect(shared.flat().sort((a, b) => a.at - b.at)).toEqual(all);
  expect(Math.max(...all.map(({ at }) => at))).toBeLessThan(10);
  expect(arrivals(0, 1, 2)).not.toEqual(all);
});

it('asks for each as often as its weight says', () => {
  const all = arrivals(0, 1);
  const second = all.filter(({ target }) => target === 1).length;
  expect(Math.abs(second / all.length - 0.75)).toBeLessThan(0.05);
});
