import { describe, expect, it } from 'vitest';
import type { CatalogVersion } from '../contract/catalog.ts';
import type { Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import { droppable, groupOf, PLAIN, stampSuperseded } from './retention.ts';
import { available, manifest, unavailable } from './testing/entries.ts';

const NOW = 1_000_000;
const GRACE = 300_000;
const old = { supersededAt: isoTime(NOW - GRACE) };
const young = { supersededAt: isoTime(NOW - GRACE + 1) };
const rollout = (parts: Partial<Rollout>): Rollout => ({ schemaVersion: 1, ...parts });

describe('droppable', () => {
  const drops = (entries: CatalogVersion[], given?: Rollout) =>
    droppable(entries, given, { keep: 2, graceMs: GRACE }, NOW);
  const four = [available(4), available(3, old), available(2, old), available(1, old)];
  it.each<[string, CatalogVersion[], Rollout | undefined, number[]]>([
    ['nothing of few', [available(2), available(1, old)], undefined, []],
    ['all beyond the newest two', four, undefined, [2, 1]],
    ['not what was just superseded', [available(4), available(3, old), available(2, young)], undefined, []],
    ['not what was never superseded', [available(4), available(3, old), available(2)], undefined, []],
    ['not the pinned one', four, rollout({ pin: 1 }), [2]],
    ['nothing while the pinned one is missing', four, rollout({ pin: 9 }), []],
    ['a retired pin is not waited for', four, rollout({ pin: 9, retired: [9] }), [2, 1]],
    ['retired ones at once', [available(2), available(1, young)], rollout({ retired: [2] }), [2]],
    ['a retired model whole', four, rollout({ retired: true }), [4, 3, 2, 1]],
    ['retired ones while the pinned one is missing', four, rollout({ pin: 9, retired: [1] }), [1]],
    ['not what the policy asks for', four, rollout({ policy: { latest: 3 } }), [1]],
    ['as many as told though the policy asks for fewer', four, rollout({ policy: { latest: 1 } }), [2, 1]],
    ['nothing of all', four, rollout({ policy: { all: true } }), []],
    ['not those that the policy names', four, rollout({ policy: { specific: [1, 9] } }), [2]],
    ['nothing while all that the policy names are missing', four, rollout({ policy: { specific: [8, 9] } }), []],
    ['what is retired is not waited for', four, rollout({ policy: { specific: [9] }, retired: [9] }), [2, 1]],
    ['not what has a label', four, rollout({ labels: { stable: 2 } }), [1]],
    ['a missing label holds nothing', four, rollout({ labels: { stable: 9 } }), [2, 1]],
    [
      'what is not served takes no place',
      [unavailable(6, 'refused', ['opset']), unavailable(5, 'failed'), ...four],
      undefined,
      [2, 1],
    ],
    [
      'two of each code',
      [
        available(5, { features: 'new' }),
        available(4),
        available(3, old),
        available(2, old),
        available(1, { features: 'new', ...old }),
      ],
      undefined,
      [2],
    ],
    [
      'no code where all are asked for',
      [5, 4, 3, 2, 1].map((version) => available(version, { features: `c${version}`, ...(version === 1 && old) })),
      rollout({ policy: { all: true } }),
      [],
    ],
    [
      'not the oldest of many codes: it may be the only one that serves',
      [6, 5, 4, 3, 2, 1].map((version) => available(version, { features: `c${version}`, ...(version === 1 && old) })),
      undefined,
      [],
    ],
    [
      'not what needs less than newer ones do',
      [
        available(3, { requires: { server: '>=99' } }),
        available(2, { requires: { server: '>=99' } }),
        available(1, old),
      ],
      undefined,
      [],
    ],
    [
      'the surplus of those that need the same',
      [
        available(4, { features: 'a', requires: { estimator: '>=2', server: '>=1' } }),
        available(3, { features: 'a', requires: { server: '>=1', estimator: '>=2' } }),
        available(2, { features: 'a', requires: { server: '>=1', estimator: '>=2' }, ...old }),
        available(1, { features: 'a', requires: { server: '>=1' }, ...old }),
      ],
      undefined,
      [2],
    ],
  ])('%s', (_what, entries, given, expected) => expect(drops(entries, given)).toEqual(expected));
});

describe('groupOf', () => {
  const code = manifest(1, 'a').code!;
  const base = { ...manifest(1), code, requires: { server: '>=1', estimator: '>=1' } };
  it('is one for versions that need no code', () => {
    expect(groupOf(manifest(1))).toBe(PLAIN);
    expect(groupOf(manifest(2, undefined, {}))).toBe(PLAIN);
    // The server does not judge it without an estimator.
    expect(groupOf(manifest(3, undefined, { estimator: '>=1' }))).toBe(PLAIN);
  });
  it('does not ask for the release of the estimator that a version was trained with, since a server does not', () =>
    expect(groupOf({ ...base, code: { ...code, version: '9.0.0' } })).toBe(groupOf(base)));
  it.each<[string, ReturnType<typeof manifest>]>([
    ['the estimator', { ...base, code: { ...code, estimator: 'f' } }],
    ['its features', { ...base, code: { ...code, features: 'b' } }],
    ['the range of the estimator', { ...base, requires: { server: '>=1', estimator: '>=2' } }],
    ['the range of Kedge', { ...base, requires: { server: '>=2', estimator: '>=1' } }],
    ['no range of Kedge', { ...base, requires: { estimator: '>=1' } }],
  ])('tells apart by %s', (_what, other) => expect(groupOf(other)).not.toBe(groupOf(base)));
});

describe('stampSuperseded', () => {
  const stamped = (entries: CatalogVersion[], given?: Rollout) =>
    stampSuperseded(entries, given, NOW).map((entry) => ('supersededAt' in entry ? entry.supersededAt : undefined));
  const now = isoTime(NOW);
  it.each<[string, CatalogVersion[], Rollout | undefined, (string | undefined)[]]>([
    ['the one before', [available(2), available(1)], undefined, [undefined, now]],
    ['once', [available(3), available(2), available(1, old)], undefined, [undefined, now, old.supersededAt]],
    ['the newer one, by a pin', [available(2), available(1, old)], rollout({ pin: 1 }), [now, undefined]],
    [
      'of each code',
      [available(3, { features: 'a' }), available(2), available(1)],
      undefined,
      [undefined, undefined, now],
    ],
    [
      'by what needs the same alone',
      [available(3, { requires: { server: '>=99' } }), available(2), available(1)],
      undefined,
      [undefined, undefined, now],
    ],
    [
      'not the only one of the oldest of many codes',
      [6, 5, 4, 3, 2, 1].map((version) => available(version, { features: `c${version}` })),
      undefined,
      Array.from({ length: 6 }, () => undefined),
    ],
    [
      'not what the policy asks for',
      [available(3), available(2), available(1)],
      rollout({ policy: { latest: 2 } }),
      [undefined, undefined, now],
    ],
    ['nothing of all', [available(3), available(2)], rollout({ policy: { all: true } }), [undefined, undefined]],
    [
      'what the policy does not name',
      [available(3), available(2), available(1)],
      rollout({ policy: { specific: [1, 2] } }),
      [now, undefined, undefined],
    ],
    [
      'not what has a label',
      [available(2), available(1, old)],
      rollout({ labels: { stable: 1 } }),
      [undefined, undefined],
    ],
    [
      'not by one that is refused',
      [unavailable(2, 'refused', ['opset']), available(1)],
      undefined,
      [undefined, undefined],
    ],
  ])('%s', (_what, entries, given, expected) => expect(stamped(entries, given)).toEqual(expected));
});
