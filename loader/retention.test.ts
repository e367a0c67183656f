import { describe, expect, it } from 'vitest';
import type { CatalogVersion } from '../contract/catalog.ts';
import type { Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import { droppable, stampSuperseded } from './retention.ts';
import { available, unavailable } from './testing/entries.ts';

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
      'the oldest of too many codes',
      [5, 4, 3, 2, 1].map((version) => available(version, { features: `c${version}`, ...(version === 1 && old) })),
      undefined,
      [1],
    ],
  ])('%s', (_what, entries, given, expected) => expect(drops(entries, given)).toEqual(expected));
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
