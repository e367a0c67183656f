import { expect, it } from 'vitest';
import { median, quantile } from './statistics.ts';

it.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[], Number.NaN],
])('the median of %j is %d', (numbers, wanted) => expect(median(numbers)).toBe(wanted));

it.each([
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.75, 3],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.99, 99],
  [[7], 0.99, 7],
  [[7], 0, 7],
  [[], 0.5, Number.NaN],
])('of %j, a share of %d does not exceed %d', (numbers, share, wanted) =>
  expect(quantile(numbers, share)).toBe(wanted),
);
