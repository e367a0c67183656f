import { describe, expect, it } from 'vitest';
import { makeRoom, memoryBudget, type Room, type Victim } from './room.ts';

const victim = (version: string, bytes: number, parts: Partial<Victim<string>> = {}): Victim<string> => ({
  version,
  bytes,
  kind: 'spare',
  own: false,
  lastUsed: 0,
  ...parts,
});
const spare = (version: string, bytes: number, lastUsed = 0) => victim(version, bytes, { lastUsed });
const own = (version: string, bytes: number) => victim(version, bytes, { own: true, lastUsed: 9 });
const cold = (version: string, bytes: number, lastUsed = 0) => victim(version, bytes, { kind: 'cold', lastUsed });
const busy = (version: string, bytes: number) => victim(version, bytes, { kind: 'busy' });

function verdict(
  need: number,
  room: Partial<Omit<Room<string>, 'victims'>>,
  victims: Victim<string>[] = [],
  isSpare = false,
) {
  const full = { budget: 100, taken: 0, leaving: 0, loading: 0, ...room, victims: () => victims };
  const { do: what, ...more } = makeRoom(need, full, { spare: isSpare });
  return 'victims' in more ? `${what} ${more.victims.join(' ')}` : what;
}

describe('a version that needs room', () => {
  it.each<[string, number, Partial<Room<string>>, Victim<string>[], string]>([
    ['fits', 100, {}, [], 'load'],
    ['fits beside others', 40, { taken: 60 }, [cold('a', 60)], 'load'],
    ['will fit once what leaves is gone', 40, { taken: 100, leaving: 40 }, [cold('a', 60)], 'wait'],
    ['may fit once loads show what they take', 40, { taken: 100, loading: 50 }, [cold('a', 50)], 'wait'],
    ['cannot fit', 101, {}, [], 'refuse'],
    ['cannot fit beside what answers', 60, { taken: 50 }, [], 'refuse'],
    ['cannot fit though all goes that may', 60, { taken: 100 }, [spare('a', 20), cold('b', 30)], 'refuse'],
    ['fits only without lazy models in use', 60, { taken: 100 }, [spare('a', 20), busy('b', 40)], 'hold'],
    ['cannot fit without those either', 60, { taken: 100 }, [spare('a', 19), busy('b', 40)], 'refuse'],
    ['takes what nobody uses before it waits', 20, { taken: 100 }, [busy('a', 60), cold('b', 20)], 'release b'],
    ['waits for loads before it is refused', 60, { taken: 100, loading: 10 }, [spare('a', 20)], 'wait'],
    ['takes spare versions before cold models', 20, { taken: 100 }, [cold('a', 20), spare('b', 20)], 'release b'],
    ['takes its own first', 20, { taken: 100 }, [spare('a', 20), own('b', 20)], 'release b'],
    [
      'takes what was not used for longest',
      20,
      { taken: 100 },
      [cold('a', 20, 3), cold('b', 20, 1), cold('c', 20, 2)],
      'release b',
    ],
    [
      'takes as many as it needs',
      30,
      { taken: 100 },
      [cold('a', 20, 1), cold('b', 20, 2), cold('c', 20, 3)],
      'release a b',
    ],
    ['takes no more than it needs', 30, { taken: 100 }, [spare('a', 20), cold('b', 40)], 'release b'],
    ['counts what leaves already', 30, { taken: 100, leaving: 10 }, [cold('a', 20), cold('b', 20)], 'release a'],
  ])('%s', (_what, need, room, victims, want) => expect(verdict(need, room, victims)).toBe(want));

  it.each<[string, number, Partial<Room<string>>, string]>([
    ['loads where it fits', 10, { taken: 90 }, 'load'],
    ['waits where it does not', 20, { taken: 90 }, 'wait'],
    ['waits even if it never will', 200, {}, 'wait'],
  ])('a spare one %s', (_what, need, room, want) => expect(verdict(need, room, [cold('a', 90)], true)).toBe(want));
});

it.each<[string, Parameters<typeof memoryBudget>[0], number | undefined]>([
  ['nothing limits it', { setting: undefined, limit: undefined, base: 50 }, undefined],
  ['the setting alone', { setting: 700, limit: undefined, base: 50 }, 700],
  ['the cgroup, less a headroom and what the server takes itself', { setting: undefined, limit: 1000, base: 50 }, 850],
  ['a smaller setting', { setting: 700, limit: 1000, base: 50 }, 700],
  ['a larger setting', { setting: 5000, limit: 1000, base: 50 }, 850],
  ['a cgroup that is too small', { setting: undefined, limit: 40, base: 50 }, 0],
])('the budget: %s', (_what, given, want) => expect(memoryBudget(given)).toBe(want));
