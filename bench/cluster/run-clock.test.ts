import { expect, it } from 'vitest';
import { startRunClock } from './run-clock.ts';

it.each([
  { compression: 1, wallMs: 2_500, seconds: 2.5, slept: 3_000 },
  { compression: 10, wallMs: 2_500, seconds: 25, slept: 300 },
  { compression: 0.5, wallMs: 2_000, seconds: 1, slept: 6_000 },
])('of compression $compression', async ({ compression, wallMs, seconds, slept }) => {
  let now = 1_700_000_000_000;
  const sleeps: number[] = [];
  const clock = startRunClock(compression, {
    now: () => now,
    sleep: async (ms) => {
      sleeps.push(ms);
    },
  });
  now += wallMs;
  expect(clock.now()).toBe(seconds);
  await clock.sleep(3);
  await clock.sleep(-3);
  expect(sleeps).toEqual([slept, 0]);
});
