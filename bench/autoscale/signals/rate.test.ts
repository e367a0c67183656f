import { describe, expect, it } from 'vitest';
import { rateOver } from './rate.ts';

const every = (step: number, perSecond: number, from: number, to: number, start = 0) =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => ({
    at: from + index * step,
    value: start + index * step * perSecond,
  }));

describe('the rate of a counter over a window', () => {
  it.each([
    // Long there, samples up to both edges.
    { what: 'steady', samples: every(10, 3, 0, 100, 500), now: 100, window: 30, rate: 3 },
    // Between two scrapes it is taken to go on as before.
    { what: 'a while after the last sample', samples: every(10, 3, 0, 100, 500), now: 104, window: 30, rate: 3 },
    { what: 'nothing', samples: every(10, 0, 0, 100, 500), now: 100, window: 30, rate: 0 },
    // Two samples are left; the last is 15 s old, so it is extended by half a distance, and by the 5 s before.
    {
      what: 'a pod that is gone since',
      samples: every(10, 3, 0, 100, 500),
      now: 115,
      window: 30,
      rate: (30 * 20) / 10 / 30,
    },
    // New: 10 s of samples; extended by 5 s before, as the window began long before, and not at all after.
    {
      what: 'a pod that was there before, seen since shortly',
      samples: every(10, 6, 90, 100, 500),
      now: 100,
      window: 30,
      rate: (60 * 15) / 10 / 30,
    },
    // It began at 0 with the first sample: not extended to before.
    { what: 'a new pod', samples: every(10, 6, 90, 100), now: 100, window: 30, rate: 60 / 30 },
    // 30 before it and 20 after it in 20 s, extended by the 10 s before.
    {
      what: 'a restart within',
      samples: [
        { at: 80, value: 100 },
        { at: 90, value: 130 },
        { at: 100, value: 20 },
      ],
      now: 100,
      window: 30,
      rate: (50 * 30) / 20 / 30,
    },
  ])('$what', ({ samples, now, window, rate }) => expect(rateOver(samples, now, window)).toBeCloseTo(rate, 9));

  it.each([
    [[]],
    [[{ at: 100, value: 7 }]],
    [
      [
        { at: 60, value: 3 },
        { at: 100, value: 7 },
      ],
    ],
    [
      [
        { at: 100, value: 3 },
        { at: 110, value: 7 },
      ],
    ],
  ])('is unknown by %j', (samples) => expect(rateOver(samples, 100, 30)).toBeUndefined());
});
