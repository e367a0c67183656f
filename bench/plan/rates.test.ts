import { describe, expect, it } from 'vitest';
import { requestsOf, type Schedule, type Segment } from '../load/schedule.ts';
import { ratesOf } from './rates.ts';

const line = (from: number, to: number, startRate: number, endRate: number): Segment => ({
  ...{ from, to, startRate, endRate },
  random: false,
});

describe('rates of steps', () => {
  it.each<[string, Segment[], number, number[]]>([
    ['steady', [line(0, 15, 8, 8)], 5, [8, 8, 8]],
    ['rising', [line(0, 10, 0, 20)], 5, [5, 15]],
    ['a jump within a step', [line(0, 7, 10, 10), line(7, 10, 20, 20)], 5, [10, 16]],
    ['shorter than a step', [line(0, 2, 6, 6)], 5, [6]],
    ['ends within a step', [line(0, 7, 6, 6)], 5, [6, 6]],
    ['many parts in one step', [line(0, 1, 1, 1), line(1, 2, 2, 2), line(2, 4, 3, 3)], 4, [2.25]],
  ])('%s', (_, segments, step, rates) => {
    const got = [...ratesOf({ segments }, step)];
    expect(got).toHaveLength(rates.length);
    for (const [index, rate] of rates.entries()) expect(got[index]).toBeCloseTo(rate, 9);
  });

  it('keep all requests', () => {
    const schedule: Schedule = { segments: [line(0, 3, 1, 9), line(3, 8.5, 4, 4), line(8.5, 30, 7, 0)] };
    for (const step of [1, 5, 15]) {
      const sum = ratesOf(schedule, step).reduce((total, rate) => total + rate * step, 0);
      expect(sum).toBeCloseTo(requestsOf(schedule), 6);
    }
  });
});
