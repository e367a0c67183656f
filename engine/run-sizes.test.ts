import { describe, expect, it } from 'vitest';
import { RunSizes } from './run-sizes.ts';

/** Of a limit of one second, after runs of those bytes and milliseconds. */
function having(...runs: [bytes: number, ms: number][]): RunSizes {
  const sizes = new RunSizes(1_000);
  for (const [bytes, ms] of runs) sizes.answered(bytes, ms);
  return sizes;
}

describe('that a run reached the limit', () => {
  it.each<[string, [number, number][], number]>([
    ['where it was far larger than any that was answered', [[100, 1]], 1_600],
    [
      'where so large a run takes about that long',
      [
        [100, 3],
        [4_000, 100],
      ],
      20_000,
    ],
    ['where what is known of it comes near the limit', [[100, 60]], 900],
  ])('is explained %s', (_what, runs, bytes) => expect(having(...runs).reachedLimit(bytes, 0)).toBe(true));

  it.each<[string, [number, number][], number]>([
    ['where nothing was answered yet', [], 1_000_000],
    ['where it was as large as others', [[100, 1]], 100],
    ['where it was a little larger', [[100, 1]], 1_500],
    [
      'where small runs are slow for their size, and large ones are not',
      [
        [1, 10],
        [1_000, 11],
      ],
      1_100,
    ],
  ])('is not %s', (_what, runs, bytes) => expect(having(...runs).reachedLimit(bytes, 0)).toBe(false));
});

describe('a run is', () => {
  it.each<[string, [number, number][], number, boolean]>([
    ['tried where nothing is known', [], 1e9, false],
    ['tried where only far smaller ones are known', [[10, 1]], 100_000, false],
    ['tried where it should end in time', [[1_000, 100]], 8_000, false],
    ['not tried where it should not', [[1_000, 200]], 8_000, true],
    [
      'tried where one alone was slow',
      [
        [1_000, 1],
        [1_000, 900],
      ],
      8_000,
      false,
    ],
    ['tried where as large a one was answered', [[1_000, 999]], 1_000, false],
  ])('%s', (_what, runs, bytes, tooLarge) => expect(having(...runs).isTooLarge(bytes, 0)).toBe(tooLarge));

  it('not tried where one half as large reached the limit of late, unless another was answered since', () => {
    const sizes = having([10, 1]);
    expect(sizes.reachedLimit(10_000, 0)).toBe(true);
    expect([4_000, 5_000, 5_001, 10_000].map((bytes) => sizes.isTooLarge(bytes, 1))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(sizes.isTooLarge(10_000, 600_000)).toBe(false);
    sizes.answered(8_000, 500);
    expect([8_000, 8_001].map((bytes) => sizes.isTooLarge(bytes, 2))).toEqual([false, true]);
  });

  it('tried again where the one that reached the limit was no larger than others', () => {
    const sizes = having([10, 1]);
    expect(sizes.reachedLimit(10, 0)).toBe(false);
    expect(sizes.isTooLarge(10, 1)).toBe(false);
  });
});
