import { expect, it } from 'vitest';
import { patienceMs } from './patience.ts';

it.each([
  ['all the time there is where nobody is in a hurry', 10, Number.POSITIVE_INFINITY, 1, 10],
  ['that too where there is time enough', 10, 100, 1, 10],
  ['half of what it can spare where there is not', 100, 50, 10, 20],
  ['not at all where its run takes all its time', 100, 5, 5, 0],
])('a request waits for company %s', (_what, waitMs, leftMs, expectedMs, ms) =>
  expect(patienceMs({ waitMs, leftMs, expectedMs })).toBe(ms),
);

it('or less than that where it is late', () => expect(patienceMs({ waitMs: 9, leftMs: 1, expectedMs: 5 })).toBe(-2));
