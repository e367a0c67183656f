import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { FirstLoads } from './first-loads.ts';

let clock: ManualClock;
let first: FirstLoads;
beforeEach(() => {
  clock = new ManualClock();
  first = new FirstLoads(clock, 1_000);
});

describe('the latch of the first readiness', () => {
  it('opens when each model came through', () => {
    first.begin(['a', 'b']);
    first.through('a');
    expect(first.waiting).toEqual(['b']);
    first.through('b');
    expect(first.waiting).toEqual([]);
  });

  it('opens when its time is over', async () => {
    first.begin(['a']);
    await clock.advance(999);
    expect([first.waiting, first.isWaitingFor('a')]).toEqual([['a'], true]);
    await clock.advance(1);
    expect([first.waiting, first.isWaitingFor('a')]).toEqual([[], false]);
  });

  it('is not closed again by what comes later', () => {
    first.begin(['a']);
    first.begin(['a', 'b']);
    first.through('a');
    first.begin(['c']);
    expect(first.waiting).toEqual([]);
  });

  it('waits for the first catalog that has anything, and counts its time from there', async () => {
    first.begin([]);
    await clock.advance(5_000);
    first.begin(['a']);
    expect(first.waiting).toEqual(['a']);
  });
});
