import { beforeEach, describe, expect, it } from 'vitest';
import { Holds } from './holds.ts';

let now: number;
let holds: Holds;
beforeEach(() => {
  now = 1_000_000;
  holds = new Holds({ now: () => now, sleep: () => Promise.resolve() }, () => 1);
});
const never = (): boolean => false;

describe('what is held', () => {
  it('is left alone for longer each time that it fails, and no longer than a minute', () => {
    const waits = Array.from({ length: 8 }, () => {
      holds.add('a', { volume: false });
      return holds.nextAt(now) - now;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('is told by key until its time is over, and counts on when it is tried again', () => {
    holds.add('a', { volume: false });
    expect([holds.keys(now), holds.nextAt(now)]).toEqual([['a'], now + 1_000]);
    now += 1_000;
    expect([holds.keys(now), holds.nextAt(now)]).toEqual([[], Infinity]);
    holds.expire(() => true);
    holds.add('a', { volume: false });
    expect(holds.nextAt(now)).toBe(now + 2_000);
  });

  it('is forgotten when it went well, or when its time is over and nobody tries it', () => {
    holds.add('a', { volume: false });
    holds.release('a');
    holds.add('a', { volume: false });
    expect(holds.nextAt(now)).toBe(now + 1_000);
    now += 1_000;
    holds.expire(never);
    holds.add('a', { volume: false });
    expect(holds.nextAt(now)).toBe(now + 1_000);
  });

  it('tells whether something waits for the volume, as long as it does', () => {
    holds.add('a', { volume: false });
    expect(holds.forVolume).toBe(false);
    holds.add('b', { volume: true });
    holds.expire(never);
    expect(holds.forVolume).toBe(true);
    now += 1_000;
    holds.expire(() => true);
    expect(holds.forVolume).toBe(true);
    holds.expire(never);
    expect(holds.forVolume).toBe(false);
  });
});
