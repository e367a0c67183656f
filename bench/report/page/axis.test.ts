import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis, timeText, timeTicks } from './axis.ts';
import { areaPath, boxPath, linePath, rugPath, stepAreaPath, stepPath } from './shapes.ts';

describe('an axis', () => {
  it.each([
    [10, [0, 5, 10]],
    [403, [0, 200, 400, 600]],
    [0.03, [0, 0.01, 0.02, 0.03]],
    [1, [0, 0.5, 1]],
    [0, [0, 0.5, 1]],
    [Number.POSITIVE_INFINITY, [0, 0.5, 1]],
  ])('from 0 to %d', (most, ticks) => {
    const axis = linearAxis(most);
    expect(axis.ticks).toEqual(ticks);
    expect(axis.place(ticks.at(-1)!)).toBe(1);
    expect(axis.place(0)).toBe(0);
  });

  it.each([
    [3_000, 80_000, [2_000, 5_000, 10_000, 20_000, 50_000, 100_000]],
    [900, 20_000_000, [1_000, 10_000, 100_000, 1_000_000, 10_000_000]],
    [5, 5, [5, 10]],
    [0, 0, [1, 2]],
  ])('by powers of ten from %d to %d', (least, most, ticks) => {
    const axis = logAxis(least, most);
    expect(axis.ticks).toEqual(ticks);
    expect(axis.place(least || 1)).toBeGreaterThanOrEqual(0);
    expect(axis.place(most || 1)).toBeLessThanOrEqual(1);
  });

  it.each([
    [720, 120, '12:00'],
    [60, 10, '60 s'],
    [7_300, 900, '2:00:00'],
    [300_000, 43_200, '72:00:00'],
  ])('of time over %d s has a tick each %d s', (seconds, step, last) => {
    const ticks = timeTicks(seconds);
    expect(ticks[1]).toBe(step);
    expect(ticks.length).toBeLessThanOrEqual(10);
    expect(timeText(ticks.at(-1)!, seconds)).toBe(last);
  });
});

it('a line has gaps where there is nothing, and a point by itself is to be seen', () => {
  expect(linePath([[0, 1], [10, 2], undefined, [30, 4], undefined])).toBe('M0 1L10 2M29 4H31');
  expect(linePath([])).toBe('');
});

it('steps are level until the next, and the last until the end', () => {
  expect(stepPath([0, 10, 20], [5, 6, 6], 100)).toBe('M0 5H10V6H20V6H100');
  expect(stepPath([0, 10, 20], [5, undefined, 6], 100)).toBe('M0 5H10M20 6H100');
});

it('areas reach to the ground, or to what they stand on', () => {
  expect(
    areaPath([
      [0, 10],
      [50, 20],
    ]),
  ).toBe('M0 100L0 10L50 20V100Z');
  expect(
    areaPath(
      [
        [0, 10],
        [50, 20],
      ],
      [
        [0, 30],
        [50, 40],
      ],
    ),
  ).toBe('M0 10L50 20L50 40L0 30Z');
  expect(stepAreaPath([0, 50], [10, 20], 100)).toBe('M0 100L0 10L50 10L50 20L100 20V100Z');
});

it('strokes and boxes are where they belong, and never too narrow to be seen', () => {
  expect(rugPath([1, 2], 96, 100)).toBe('M1 96V100M2 96V100');
  expect(boxPath(10, 20, 1, 2)).toBe('M10 1H20V2H10Z');
  expect(boxPath(10, 10, 1, 2)).toBe('M10 1H10.8V2H10Z');
});
