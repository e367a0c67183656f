import type { Chance } from './chance.ts';

/** What a zone is like: when trips begin there, and what makes them more or fewer. */
export interface Character {
  /** Humps of a day: around which hour, how wide (hours), how high. Of days of work, and of days that are free. */
  work: readonly Hump[];
  free: readonly Hump[];
  /** Trips an hour, on the mean of a day. */
  size: number;
  /** How much of it comes and goes with the season: 0 is none. */
  season: number;
  /** How much rain keeps people away: 1 is usual. */
  rain: number;
  /** Events (a match, a concert, a fair) on how many of a hundred days. */
  events: number;
}

type Hump = readonly [hour: number, width: number, height: number];

const KINDS: Record<string, Character> = {
  campus: {
    work: [
      [9.5, 1.2, 2],
      [13, 2, 1.6],
      [18, 2.5, 1.5],
    ],
    free: [[16, 4, 0.7]],
    size: 12,
    season: 0.3,
    rain: 0.9,
    events: 1,
  },
  nightlife: {
    work: [
      [13, 3, 0.9],
      [19, 2.5, 1.6],
      [23, 2, 0.8],
    ],
    free: [
      [14, 3, 1.2],
      [21, 3, 1.9],
      [1, 2, 1.4],
    ],
    size: 26,
    season: 0.35,
    rain: 1,
    events: 3,
  },
  homes: {
    work: [
      [7.8, 1.1, 2.6],
      [18, 3, 0.9],
    ],
    free: [
      [11, 3, 1.1],
      [17, 3.5, 0.9],
    ],
    size: 9,
    season: 0.4,
    rain: 1.1,
    events: 0,
  },
  leisure: {
    work: [
      [12.5, 2, 0.8],
      [18.5, 2.5, 1.4],
    ],
    free: [[15.5, 3.2, 3]],
    size: 14,
    season: 0.7,
    rain: 1.7,
    events: 2,
  },
  station: {
    work: [
      [8.2, 1, 2.8],
      [17.3, 1.8, 1.9],
      [12, 4, 0.5],
    ],
    free: [[14, 5, 1.1]],
    size: 30,
    season: 0.25,
    rain: 0.8,
    events: 0.5,
  },
  offices: {
    work: [
      [12.3, 1.2, 1.2],
      [17.2, 1.5, 3],
    ],
    free: [[14, 4, 0.3]],
    size: 16,
    season: 0.3,
    rain: 1,
    events: 0,
  },
};

/** The first zones have names of their own, for people to read; the others are numbered. */
const NAMED: readonly (readonly [name: string, kind: string])[] = [
  ['campus', 'campus'],
  ['centre', 'nightlife'],
  ['east', 'homes'],
  ['harbour', 'leisure'],
  ['north', 'homes'],
  ['south', 'homes'],
  ['station', 'station'],
  ['west', 'offices'],
];

export function zoneName(index: number): string {
  return NAMED[index]?.[0] ?? `zone-${String(index + 1).padStart(3, '0')}`;
}

/** No two zones of a kind are alike: sizes differ, for the numbered ones by up to some ten times. */
export function characterOf(index: number, chance: Chance): Character {
  const kinds = Object.keys(KINDS);
  const kind = NAMED[index]?.[1] ?? kinds[Math.floor(chance.at(1, index) * kinds.length)]!;
  const one = KINDS[kind]!;
  const spread = index < NAMED.length ? 0.3 : 1.1;
  return { ...one, size: one.size * Math.exp(spread * (2 * chance.at(2, index) - 1)) };
}

/** How busy an hour is, as a multiple of the zone's mean. `hour` is 0 to 23. */
export function rhythm({ work, free }: Character, hour: number, isFree: boolean): number {
  let busy = 0.04;
  for (const [centre, width, height] of isFree ? free : work) {
    const distance = Math.abs(hour + 0.5 - centre);
    const around = Math.min(distance, 24 - distance) / width;
    busy += height * Math.exp(-0.5 * around * around);
  }
  return busy;
}
