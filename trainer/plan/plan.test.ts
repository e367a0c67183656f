import { describe, expect, it } from 'vitest';
import { type Mode, type ModelFacts, planModels, runId } from './plan.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-24T12:00:00Z');
const at = (hoursAgo: number): string => new Date(NOW - hoursAgo * HOUR).toISOString();
const serving = (hoursAgo: number): ModelFacts => ({
  versions: 2,
  retired: false,
  champion: { version: 2, createdAt: at(hoursAgo) },
});
const unfit: ModelFacts = { versions: 2, retired: false };
const gone: ModelFacts = { versions: 2, retired: true };
const ensure: Mode = { kind: 'ensure' };
const stale: Mode = { kind: 'stale', olderThanMs: 24 * HOUR };
const all: Mode = { kind: 'all' };
const DRIFT = [{ feature: 'x', what: 'values' as const, psi: 0.4 }];

describe('what is trained, and why', () => {
  const cases: [string, ModelFacts | undefined, boolean, Record<'ensure' | 'drifted' | 'stale' | 'all', string>][] = [
    [
      'nothing in the bucket',
      undefined,
      false,
      { ensure: 'missing', drifted: 'missing', stale: 'missing', all: 'missing' },
    ],
    [
      'only retired versions',
      { versions: 0, retired: false },
      false,
      { ensure: 'missing', drifted: 'missing', stale: 'missing', all: 'missing' },
    ],
    [
      'no version fits',
      unfit,
      false,
      { ensure: 'incompatible', drifted: 'incompatible', stale: 'incompatible', all: 'incompatible' },
    ],
    [
      'no version fits, drifted',
      unfit,
      true,
      { ensure: 'incompatible', drifted: 'incompatible', stale: 'incompatible', all: 'incompatible' },
    ],
    ['a fresh version', serving(23.9), false, { ensure: '', drifted: '', stale: '', all: 'asked' }],
    ['one just at the limit', serving(24), false, { ensure: '', drifted: '', stale: 'stale', all: 'asked' }],
    ['an old one', serving(300), false, { ensure: '', drifted: '', stale: 'stale', all: 'asked' }],
    ['a fresh one, drifted', serving(1), true, { ensure: '', drifted: 'drifted', stale: 'drifted', all: 'drifted' }],
    ['an old one, drifted', serving(300), true, { ensure: '', drifted: 'drifted', stale: 'stale', all: 'drifted' }],
    ['a retired model', gone, true, { ensure: '', drifted: '', stale: '', all: '' }],
    [
      'a time that cannot be read',
      { versions: 1, retired: false, champion: { version: 1, createdAt: '?' } },
      false,
      { ensure: '', drifted: '', stale: 'stale', all: 'asked' },
    ],
  ];
  it.each(cases)('%s', (_, facts, drifted, expected) => {
    const reasonIn = (mode: Mode): string =>
      planModels(['m'], new Map(facts ? [['m', facts]] : []), {
        mode,
        now: NOW,
        drifted: new Map(drifted ? [['m', DRIFT]] : []),
      })[0]?.reason ?? '';
    expect({
      ensure: reasonIn(ensure),
      drifted: reasonIn({ kind: 'drifted' }),
      stale: reasonIn(stale),
      all: reasonIn(all),
    }).toEqual(expected);
  });

  it('says by which features a model drifted, where that is why', () => {
    const facts = new Map([['m', serving(1)] as const]);
    const drifted = new Map([['m', DRIFT]]);
    const options = { now: NOW, drifted };
    expect(planModels(['m'], facts, { ...options, mode: { kind: 'drifted' } })).toEqual([
      { model: 'm', reason: 'drifted', drift: DRIFT },
    ]);
    expect(planModels(['m'], new Map(), { ...options, mode: stale })).toEqual([{ model: 'm', reason: 'missing' }]);
  });

  it('keeps the order, and trains nothing that nobody wants', () => {
    const facts = new Map([
      ['b', serving(1)],
      ['x', unfit],
    ] as const);
    const planned = planModels(['c', 'b', 'a'], facts, { mode: ensure, now: NOW });
    expect(planned).toEqual([
      { model: 'c', reason: 'missing' },
      { model: 'a', reason: 'missing' },
    ]);
  });
});

it('ids of runs sort by time', () => {
  expect(runId(NOW, 0.5)).toBe('20261124t120000-800000');
  expect(runId(NOW + 1000, 0) > runId(NOW, 0.999999)).toBe(true);
});
