import { expect, it } from 'vitest';
import { type CatalogStamp, replaces, STALE_READ_MS } from './catalog-order.ts';

const stamp = (generation: number, minute: number): CatalogStamp => ({
  generation,
  writtenAt: `2026-11-24T10:${String(minute).padStart(2, '0')}:00Z`,
});

it.each<[string, CatalogStamp | undefined, CatalogStamp, number, boolean]>([
  ['the first one', undefined, stamp(1, 0), 0, true],
  ['a later generation', stamp(7, 10), stamp(8, 11), 0, true],
  ['a later generation by a clock that went back', stamp(7, 10), stamp(8, 1), 0, true],
  ['a new life of the loader', stamp(7, 10), stamp(1, 11), 0, true],
  ['the same generation of another life', stamp(7, 10), stamp(7, 11), 0, true],
  ['a stale read', stamp(7, 10), stamp(6, 9), 0, false],
  ['a stale read, a minute later', stamp(7, 10), stamp(6, 9), 60_000, false],
  ['an older one that stays', stamp(7, 10), stamp(1, 9), STALE_READ_MS, true],
  ['the same instant, less news', stamp(7, 10), stamp(6, 10), 0, false],
])('%s', (_what, current, next, seenForMs, want) => expect(replaces(current, next, seenForMs)).toBe(want));
