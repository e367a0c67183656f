import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it.each([
  [0, 0, 50],
  [0, 0.999999, 100],
  [3, 0, 400],
  [3, 0.5, 600],
  [20, 0, 2500],
  [5000, 0.999999, 5000],
])('attempt %i with %d waits about %i ms', (attempt, random, ms) =>
  expect(backoffMs(attempt, { baseMs: 100, maxMs: 5000 }, random)).toBeCloseTo(ms, 0),
);
