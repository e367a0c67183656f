import { expect, it } from 'vitest';
import { modeOf } from './mode.ts';

it.each([
  [{}, { kind: 'ensure' }],
  [{ ensure: true }, { kind: 'ensure' }],
  [{ all: true }, { kind: 'all' }],
  [{ drifted: true }, { kind: 'drifted' }],
  [{ stale: '24h' }, { kind: 'stale', olderThanMs: 24 * 3_600_000 }],
  [{ stale: '90m' }, { kind: 'stale', olderThanMs: 90 * 60_000 }],
  [{ stale: '1.5d' }, { kind: 'stale', olderThanMs: 36 * 3_600_000 }],
])('%j', (values, mode) => expect(modeOf({ values })).toEqual(mode));

it.each([
  [{ stale: '24' }],
  [{ stale: '' }],
  [{ stale: '-1h' }],
  [{ all: true, stale: '1h' }],
  [{ all: true, ensure: true }],
  [{ drifted: true, stale: '1h' }],
])('refuses %j', (values) => expect(() => modeOf({ values })).toThrow(/--/));
