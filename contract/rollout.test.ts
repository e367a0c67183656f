import { describe, expect, it } from 'vitest';
import { chooseActive, EMPTY_ROLLOUT, isRetired, type Rollout, rolloutSchema } from './rollout.ts';

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

describe('rollout.json', () => {
  it.each([{}, { pin: 1 }, { contract: 2, retired: [1] }, { retired: true }, { later: 'kept' }])(
    '%j is taken',
    (change) => {
      const value = { ...EMPTY_ROLLOUT, ...change };
      expect(rolloutSchema.parse(value)).toEqual(value);
    },
  );

  it.each([
    { schemaVersion: 2 },
    { pin: 0 },
    { pin: '1' },
    { pin: 1.5 },
    { retired: false },
    { retired: [0] },
    { contract: -1 },
  ])('%j is not', (change) => expect(rolloutSchema.safeParse({ ...EMPTY_ROLLOUT, ...change }).success).toBe(false));
});
