import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { RefusalPace } from './refusal-pace.ts';

let clock: ManualClock;
let idle: number;
let pace: RefusalPace;
beforeEach(() => {
  clock = new ManualClock(1_000_000);
  idle = 0;
  pace = new RefusalPace({ now: () => clock.now(), idleMs: () => idle, sleep: (ms) => clock.sleep(ms) });
});

/** Time goes by, of which the loop is idle for a part. */
async function pass(ms: number, idlePart = 0): Promise<void> {
  for (let at = 0; at < ms; at += 5) {
    idle += 5 * idlePart;
    await clock.advance(5);
  }
}

/** Refuses `count` at once. @returns how many were told at once, and how many of the others by now */
function refuse(count: number, costMs: number): { atOnce: number; told: () => number } {
  let [atOnce, told] = [0, 0];
  for (let one = 0; one < count; one += 1) {
    const held = pace.hold(costMs);
    if (!held) atOnce += 1;
    else
      void held.then(() => {
        told += 1;
      });
  }
  return { atOnce, told: () => told };
}

describe('refusals', () => {
  it('that come seldom are told at once, for ever', async () => {
    for (let one = 0; one < 100; one += 1) {
      expect(pace.hold(1)).toBeUndefined();
      await clock.advance(10);
    }
    expect(clock.waits).toEqual([]);
  });

  it('that come together are told at once up to 20 ms of the loop, the others in a tenth of its time', async () => {
    const { atOnce, told } = refuse(60, 1);
    expect([atOnce, told()]).toEqual([20, 0]);
    await pass(100);
    expect(told()).toBe(10);
    await pass(300);
    expect(told()).toBe(40);
    expect(clock.waits).toEqual([]);
  });

  it.each([
    ['busy', 0, 20],
    ['half idle', 0.5, 70],
    ['idle', 1, 120],
  ])('are told sooner by a loop that has nothing else to do: %s', async (_, idlePart, count) => {
    const { told } = refuse(1_000, 1);
    await pass(200, idlePart);
    expect(told()).toBe(count);
  });

  it('cost what they are said to cost, and something where nobody knows', () => {
    expect(refuse(10, 5).atOnce).toBe(4);
    pace = new RefusalPace({ now: () => clock.now(), idleMs: () => 0, sleep: (ms) => clock.sleep(ms) });
    expect(refuse(1_000, 0).atOnce).toBeCloseTo(400, -1);
  });

  it('are held for a second at most, in the order in which they came', async () => {
    const { atOnce, told } = refuse(500, 1);
    await pass(990);
    expect([atOnce, told()]).toEqual([20, 99]);
    await pass(10);
    expect(told()).toBe(480);
  });

  it('wait for those before them', async () => {
    refuse(30, 1);
    await pass(50);
    expect(refuse(1, 0.001).atOnce).toBe(0);
  });

  it('are told at once again when the time for them has come in again', async () => {
    refuse(60, 1);
    await pass(600);
    expect(refuse(25, 1).atOnce).toBe(20);
  });
});
