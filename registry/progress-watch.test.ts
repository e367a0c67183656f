import { expect, it } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { ProgressWatch } from './progress-watch.ts';

/** A clock that stands until it is moved. */
function standingClock(): Clock & { move(ms: number): Promise<void> } {
  let now = 0;
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        sleepers.push({ until: now + ms, wake });
        signal?.addEventListener('abort', () => wake());
      }),
    async move(ms) {
      now += ms;
      const due = sleepers.filter(({ until }) => until <= now);
      sleepers = sleepers.filter(({ until }) => until > now);
      for (const { wake } of due) wake();
      // Lets the watch judge and sleep again.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** What happens in each second: bytes that arrive after the reader waited so long, or a reader that is busy itself. */
type Second = { bytes: number; waitedMs: number };

const steady = (bytes: number): Second[] => Array.from({ length: 30 }, () => ({ bytes, waitedMs: 1000 }));

it.each<[string, Second[], number | undefined]>([
  ['silence', steady(0), 10],
  ['a drip', steady(1023), 10],
  ['enough', steady(1200), undefined],
  [
    'a burst in each window',
    steady(0).map((second, i) => (i % 10 === 5 ? { bytes: 10_240, waitedMs: 1000 } : second)),
    undefined,
  ],
  ['bytes, then silence', steady(0).map((second, i) => (i < 5 ? { bytes: 9_999, waitedMs: 1000 } : second)), 20],
  ['a reader that is busy and waits little', steady(0).map(() => ({ bytes: 100, waitedMs: 400 })), undefined],
  [
    'a reader that waits for half of the time and gets a drip',
    steady(0).map(() => ({ bytes: 100, waitedMs: 500 })),
    10,
  ],
  [
    'a reader that waits for half of the time and gets enough',
    steady(0).map(() => ({ bytes: 600, waitedMs: 500 })),
    undefined,
  ],
])('%s', async (_name, seconds, dripAfter) => {
  const clock = standingClock();
  const watch = new ProgressWatch(clock, { windowMs: 10_000, bytesPerSecond: 1024 });
  let at: number | undefined;
  const run = watch.run(() => {
    at = clock.now() / 1000;
  });
  for (const { bytes, waitedMs } of seconds) {
    if (waitedMs < 1000) await clock.move(1000 - waitedMs);
    watch.waiting();
    await clock.move(waitedMs);
    watch.arrived(bytes);
  }
  expect(at).toBe(dripAfter);
  watch.end();
  await run;
});
