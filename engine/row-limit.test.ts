import { describe, expect, it } from 'vitest';
import { longestRunMs, mostPieceRows, nextRowLimit } from './row-limit.ts';

describe('rows of the next run', () => {
  it.each([
    ['doubles while runs are short and full', 16, 16, 1, 32],
    ['grows no further than its time allows', 16, 16, 8, 20],
    ['stays where runs are not half full', 64, 32, 1, 64],
    ['grows where they are more than that', 64, 33, 1, 128],
    ['falls at once where one took too long', 64, 64, 20, 32],
    ['and does not rise by that', 16, 64, 20, 16],
    ['is one at least', 16, 1, 500, 1],
  ])('%s', (_name, limit, rows, ms, next) => {
    expect(nextRowLimit(limit, { rows, ms, maxRunMs: 10 })).toBe(next);
  });
});

it('runs may be longer for who has been alone for a while', () => {
  expect([1, 31, 32, 1_000].map((turns) => longestRunMs(10, turns))).toEqual([10, 10, 25, 25]);
});

it.each([
  ['nothing', undefined, 256],
  ['cheap rows', 0.001, 256],
  ['dear rows', 2, 50],
  ['a row that takes too long by itself', 500, 1],
])('a run in one piece may have so many rows, knowing of %s', (_what, rowMs, rows) =>
  expect(mostPieceRows(rowMs, 256)).toBe(rows),
);
