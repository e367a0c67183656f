import { describe, expect, it } from 'vitest';
import type { CatalogUnavailable, CatalogVersion } from '../contract/catalog.ts';
import type { RefusalCode } from '../contract/refusal.ts';
import { isoTime } from '../platform/clock.ts';
import type { Models } from './catalog-edit.ts';
import { hasten, MAX_RETRIES, settleUnavailable } from './settle.ts';
import { available, unavailable } from './testing/entries.ts';

const NOW = 1_000_000;
const settle = (codes: RefusalCode[], before?: CatalogVersion, fingerprint = 'f1', judgedBy = 'now') => {
  const reasons = codes.map((code) => ({ code, message: 'It is so.' }));
  return settleUnavailable({ version: 1, bare: true, fingerprint, reasons, judgedBy }, before, NOW, 0);
};
const waitOf = ({ retryAt }: CatalogUnavailable) => retryAt && Date.parse(retryAt) - NOW;

describe('settleUnavailable', () => {
  it.each<[RefusalCode[], CatalogUnavailable['state'], number | undefined]>([
    [['opset'], 'refused', undefined],
    [['load-timeout'], 'failed', 15_000],
    [['fetch-failed'], 'failed', 2_500],
    [['load-timeout', 'opset'], 'refused', undefined],
  ])('%j is %s', (codes, state, wait) => {
    const entry = settle(codes);
    expect(entry).toMatchObject({ state, attempts: 1, bare: true, since: isoTime(NOW) });
    expect(waitOf(entry)).toBe(wait);
  });

  it('tries what failed a few times more, with longer pauses, then never again', () => {
    const waits: (number | undefined | '')[] = [];
    let entry: CatalogUnavailable | undefined;
    for (let attempt = 0; attempt <= MAX_RETRIES; attempt++) {
      entry = settle(['process-crashed'], entry);
      waits.push(waitOf(entry));
    }
    expect(waits).toEqual([15_000, 30_000, 60_000, undefined]);
  });

  it('tries what could not be fetched for ever', () => {
    const before = unavailable(1, 'failed', ['fetch-failed'], { attempts: 1000 });
    expect(waitOf(settle(['fetch-failed'], before))).toBe(150_000);
  });

  it('begins to count anew for other bytes', () => {
    const before = unavailable(1, 'failed', ['load-timeout'], { attempts: 4 });
    expect(settle(['load-timeout'], before, 'other').attempts).toBe(1);
    expect(settle(['load-timeout'], available(1)).attempts).toBe(1);
    expect(settle(['load-timeout'], before, 'f1', 'later')).toMatchObject({ attempts: 1, judgedBy: 'later' });
  });

  it('keeps the time since when it is so, while it is for the same reasons', () => {
    const since = isoTime(5);
    expect(settle(['load-timeout'], unavailable(1, 'failed', ['load-timeout'], { since })).since).toBe(since);
    expect(settle(['run-timeout'], unavailable(1, 'failed', ['load-timeout'], { since })).since).toBe(isoTime(NOW));
    expect(settle(['opset'], unavailable(1, 'incomplete', [], { since })).since).toBe(isoTime(NOW));
  });
});

it('keeps what was known of the same bytes beside that they could not be fetched', () => {
  const codesOf = ({ reasons }: CatalogUnavailable) => reasons.map(({ code }) => code);
  const refused = unavailable(1, 'refused', ['opset', 'name-unusable'], { judgedBy: 'before' });
  const first = settle(['fetch-failed'], refused);
  expect([first.state, codesOf(first), waitOf(first)]).toEqual([
    'failed',
    ['fetch-failed', 'opset', 'name-unusable'],
    2_500,
  ]);
  const second = settle(['fetch-failed'], { ...first, since: isoTime(5) });
  expect([codesOf(second), second.since, waitOf(second)]).toEqual([codesOf(first), isoTime(5), 5_000]);
  expect(codesOf(settle(['fetch-failed'], refused, 'other'))).toEqual(['fetch-failed']);
  expect(codesOf(settle(['load-timeout'], second))).toEqual(['load-timeout']);
});

it('hastens what could not be fetched last', () => {
  const later = { retryAt: isoTime(NOW + 1) };
  const models: Models = [
    { name: 'a', versions: [unavailable(2, 'failed', ['fetch-failed'], later), available(1)] },
    { name: 'b', versions: [unavailable(1, 'failed', ['load-timeout'], later)] },
    { name: 'c', versions: [unavailable(1, 'failed', ['fetch-failed', 'opset'], later)] },
  ];
  const [a, b, c] = hasten(models, NOW);
  expect(a!.versions).toEqual([{ ...models[0]!.versions[0], retryAt: isoTime(NOW) }, available(1)]);
  expect(b).toBe(models[1]);
  expect(c!.versions).toMatchObject([{ retryAt: isoTime(NOW) }]);
  const due = hasten(models, NOW);
  expect(hasten(due, NOW)).toBe(due);
});
