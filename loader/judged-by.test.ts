import { expect, it } from 'vitest';
import { type JudgingLimits, judgedByOf } from './judged-by.ts';

const LIMITS: JudgingLimits = {
  probeLoadMs: 1,
  probeRunMs: 2,
  probeMemoryBytes: 3,
  memoryBudgetBytes: undefined,
  maxVersionBytes: 5,
};
const first = judgedByOf(LIMITS);

it('stays the same while nothing changes', () => expect(judgedByOf({ ...LIMITS })).toBe(first));

it.each<[string, Partial<JudgingLimits>, { runtime?: string; release?: string }]>([
  ['another runtime', {}, { runtime: '1.31.0' }],
  ['another release', {}, { release: '1.1.0' }],
  ['a longer load', { probeLoadMs: 9 }, {}],
  ['a longer run', { probeRunMs: 9 }, {}],
  ['more memory for the probe', { probeMemoryBytes: 9 }, {}],
  ['a budget', { memoryBudgetBytes: 9 }, {}],
  ['larger versions', { maxVersionBytes: 9 }, {}],
])('%s makes another', (_what, limits, software) =>
  expect(judgedByOf({ ...LIMITS, ...limits }, software)).not.toBe(first),
);
