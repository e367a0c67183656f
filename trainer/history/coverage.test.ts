import { describe, expect, it } from 'vitest';
import { Coverage } from './coverage.ts';

const HOUR = 3600;
const START = Date.UTC(2026, 0, 1) / 1000;

/** What is said of these hours after the first of January, each with its own number as value. */
function judge(hours: readonly number[], value: (hour: number) => number = (hour) => hour): string[] {
  const coverage = new Coverage({ what: "zone 'west'", least: 4 });
  for (const hour of hours) coverage.add(START + hour * HOUR, value(hour));
  return coverage.judge();
}

describe('the coverage of a history', () => {
  it('without gaps is not worth a word', () => expect(judge([0, 1, 2, 3])).toEqual([]));

  it('with gaps says how many and where the longest is', () => {
    expect(judge([0, 1, 3, 4, 5])).toEqual([
      '1 of 6 hours are missing in one gap from 2026-01-01T02:00Z to 2026-01-01T03:00Z.',
    ]);
    expect(judge([0, 2, 3, 4, 8, 9])).toEqual([
      '4 of 10 hours are missing in 2 gaps, the longest from 2026-01-01T05:00Z to 2026-01-01T08:00Z.',
    ]);
  });

  it.each<[string, number[], (hour: number) => number, RegExp]>([
    ['no hours', [], Number, /^The history of zone 'west' has no hours in the window\.$/],
    ['few hours', [0, 1, 2], Number, /has 3 hours from 2026-01-01T00:00Z to 2026-01-01T02:00Z, too few .* at least 4/],
    ['an hour twice', [0, 1, 1, 2], Number, /has the hour 2026-01-01T01:00Z twice/],
    ['the same number in all', [0, 1, 2, 3], () => 0, /has the same number, 0, in all 4 hours/],
    ['more missing than there', [0, 1, 2, 8], Number, /lacks 5 of 9 hours .* more than half/],
  ])('with %s is refused', (_what, hours, value, sentence) => expect(() => judge(hours, value)).toThrow(sentence));
});
