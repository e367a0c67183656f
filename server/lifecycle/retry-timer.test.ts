import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { RetryTimer } from './retry-timer.ts';

const clock = new ManualClock();
const due: string[] = [];
const timer = new RetryTimer<string>(clock, (name) => due.push(name));

it('tells of each thing at its time, and has one timer', async () => {
  const now = clock.now();
  timer.set('late', now + 300);
  timer.set('soon', now + 100);
  timer.set('moved', now + 100);
  timer.set('gone', now + 200);
  timer.set('moved', now + 300);
  timer.set('gone', undefined);
  expect(clock.waits).toEqual([100]);
  await clock.advance(100);
  expect([due, clock.waits]).toEqual([['soon'], [200]]);
  await clock.advance(200);
  expect([due, clock.waits]).toEqual([['soon', 'late', 'moved'], []]);
});

it('tells of nothing once it is closed', async () => {
  due.length = 0;
  timer.set('a', clock.now() + 10);
  timer.close();
  await clock.advance(10);
  expect([due, clock.waits]).toEqual([[], []]);
});
