import { describe, expect, it } from 'vitest';
import {
  chooseActive,
  EMPTY_ROLLOUT,
  isRetired,
  latestOf,
  namedVersions,
  type Rollout,
  readyVersions,
  rolloutSchema,
  versionOfLabel,
} from './rollout.ts';

const rollout = (change: Partial<Rollout>): Rollout => ({ ...EMPTY_ROLLOUT, ...change });

describe('the active version', () => {
  it.each<[string, Rollout | undefined, number[], number | undefined, number | undefined]>([
    ['is the newest that can answer', undefined, [1, 10, 9], undefined, 10],
    ['is the newest, whichever answers now', undefined, [1, 2], 1, 2],
    ['is an older one after the newest is gone', undefined, [1, 2], 3, 2],
    ['is the pinned one', rollout({ pin: 2 }), [1, 2, 3], 3, 2],
    ['stays while the pinned one cannot answer', rollout({ pin: 4 }), [1, 2, 3], 2, 2],
    ['is the newest while neither the pinned nor the present one can', rollout({ pin: 4 }), [1, 3], 2, 3],
    ['is not a retired one', rollout({ retired: [3] }), [1, 2, 3], 3, 2],
    ['is not a retired one though it is pinned', rollout({ pin: 3, retired: [3] }), [1, 2, 3], undefined, 2],
    ['is none of a retired model', rollout({ retired: true }), [1, 2], 2, undefined],
    ['is none where none can answer', undefined, [], 7, undefined],
    ['is none where all that can are retired', rollout({ retired: [1, 2] }), [1, 2], 1, undefined],
    ['does not follow the contract', rollout({ contract: 1 }), [1, 2], undefined, 2],
    ['is the newest whatever is held ready besides', rollout({ policy: { latest: 3 } }), [1, 2, 3], 2, 3],
    ['is the newest of those that are allowed', rollout({ policy: { specific: [1, 2] } }), [1, 2, 3], 3, 2],
    [
      'is another that is allowed while the newest of them cannot',
      rollout({ policy: { specific: [1, 4] } }),
      [1, 3],
      3,
      1,
    ],
    ['stays while none that is allowed can', rollout({ policy: { specific: [4] } }), [1, 2, 3], 2, 2],
    [
      'is the newest where none that is allowed can and none answers',
      rollout({ policy: { specific: [4] } }),
      [1, 2],
      undefined,
      2,
    ],
    [
      'is the pinned one though it is not among the allowed',
      rollout({ policy: { specific: [2] }, pin: 1 }),
      [1, 2],
      2,
      1,
    ],
    ['does not follow a label', rollout({ labels: { stable: 1 } }), [1, 2], 1, 2],
  ])('%s', (_, given, able, current, active) => expect(chooseActive(given, able, current)).toBe(active));
});

it.each<[Rollout | undefined, boolean]>([
  [undefined, false],
  [EMPTY_ROLLOUT, false],
  [rollout({ retired: [] }), false],
  [rollout({ retired: [2] }), false],
  [rollout({ retired: [2, 3] }), true],
  [rollout({ retired: true }), true],
])('retires version 3 by %j: %s', (given, retired) => expect(isRetired(given, 3)).toBe(retired));

describe('the versions held ready', () => {
  it.each<[string, Partial<Rollout>, number[], number[]]>([
    ['the newest two', {}, [1, 2, 3, 10], [10, 3]],
    ['what there is', {}, [4], [4]],
    ['the pinned one is one of two', { pin: 1 }, [1, 2, 3], [1, 3]],
    ['a pinned one that cannot be held takes no place', { pin: 9 }, [1, 2, 3], [3, 2]],
    ['the newest n', { policy: { latest: 3 } }, [1, 2, 3, 4], [4, 3, 2]],
    ['fewer than the server is told', { policy: { latest: 1 } }, [1, 2], [2]],
    ['the newest n beside a pinned one', { policy: { latest: 1 }, pin: 1 }, [1, 2, 3], [1, 3]],
    ['all', { policy: { all: true } }, [1, 2, 3], [3, 2, 1]],
    ['just these', { policy: { specific: [1, 3, 9] } }, [1, 2, 3, 4], [3, 1]],
    ['just these and the pinned one', { policy: { specific: [3] }, pin: 2 }, [1, 2, 3, 4], [2, 3]],
    ['just these, none of which can be', { policy: { specific: [9] } }, [1, 2], []],
    ['what a label asks for, last', { labels: { stable: 1, canary: 4 } }, [1, 2, 3, 4], [4, 3, 1]],
    ['no label of what is not there', { labels: { stable: 9 } }, [1, 2, 3], [3, 2]],
    ['nothing that is retired', { retired: [3], labels: { x: 3 }, policy: { specific: [2, 3] } }, [1, 2, 3], [2]],
    ['nothing of a retired model', { retired: true, policy: { all: true } }, [1, 2], []],
  ])('%s', (_, given, able, ready) => expect(readyVersions(rollout(given), able, { keepReady: 2 })).toEqual(ready));

  it.each<[Partial<Rollout>, number[]]>([
    [{}, [4, 3, 2]],
    [{ pin: 4 }, [4, 3, 2]],
    [{ policy: { latest: 1 } }, [4, 3]],
  ])('what fails takes no place: %j', (given, ready) =>
    expect(readyVersions(rollout(given), [1, 2, 3, 4], { keepReady: 2, failing: new Set([4]) })).toEqual(ready),
  );
});

it.each<[string, Partial<Rollout> | undefined, number[], number]>([
  ['nothing', undefined, [], 0],
  ['nothing', {}, [], 0],
  ['pin, policy and labels', { pin: 5, policy: { specific: [1, 2] }, labels: { a: 2, b: 7 } }, [5, 1, 2, 7], 0],
  ['not what is retired', { pin: 5, policy: { specific: [1, 2] }, labels: { a: 2, b: 7 }, retired: [5, 7] }, [1, 2], 0],
  ['nothing of a retired model', { pin: 5, labels: { a: 2 }, retired: true }, [], 0],
  ['a number of the newest', { policy: { latest: 7 } }, [], 7],
  ['all', { policy: { all: true } }, [], Infinity],
])('a rollout names %s: %j', (_, given, named, latest) => {
  const value = given && rollout(given);
  expect([[...namedVersions(value)], latestOf(value)]).toEqual([named, latest]);
});

it.each([
  ['stable', 3],
  ['canary', undefined],
  ['constructor', undefined],
])('the label %s points at %s', (label, version) => {
  expect(versionOfLabel(rollout({ labels: { stable: 3 } }), label)).toBe(version);
  expect(versionOfLabel(undefined, label)).toBeUndefined();
});

describe('rollout.json', () => {
  it.each([
    {},
    { pin: 1 },
    { contract: 2, retired: [1] },
    { retired: true },
    { later: 'kept' },
    { policy: { latest: 3 } },
    { policy: { all: true } },
    { policy: { specific: [1, 3] } },
    { labels: { stable: 1, 'Canary-2.b_c': 2 }, lazy: true },
    { lazy: false },
  ])('%j is taken', (change) => {
    const value = { ...EMPTY_ROLLOUT, ...change };
    expect(rolloutSchema.parse(value)).toEqual(value);
  });

  it.each([
    { schemaVersion: 2 },
    { pin: 0 },
    { pin: '1' },
    { pin: 1.5 },
    { retired: false },
    { retired: [0] },
    { contract: -1 },
    { policy: {} },
    { policy: 'all' },
    { policy: { latest: 0 } },
    { policy: { all: false } },
    { policy: { specific: [] } },
    { policy: { specific: [0] } },
    { policy: { latest: 1, all: true } },
    { labels: { '2': 2 } },
    { labels: { 'a b': 2 } },
    { labels: { stable: '1' } },
    { lazy: 'yes' },
  ])('%j is not', (change) => expect(rolloutSchema.safeParse({ ...EMPTY_ROLLOUT, ...change }).success).toBe(false));
});
