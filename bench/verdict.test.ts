import { expect, it } from 'vitest';
import { isReached } from './verdict.ts';

it.each([
  [{ atMost: 1.2 }, [9, 1.1, 1.2], true],
  [{ atMost: 1.2 }, [1, 1.3, 1.4], false],
  [{ atLeast: 0.9 }, [0.1, 0.9, 0.95], true],
  [{ atLeast: 0.9 }, [0.8, 0.89, 2], false],
  [{ atLeast: 0.9 }, [], false],
  [{ atMost: 0 }, [Number.NaN], false],
])('%j is held against the median of %j: %s', (wanted, measured, reached) =>
  expect(isReached({ what: 'a figure', wanted, measured })).toBe(reached),
);
