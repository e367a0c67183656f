import { expect, it } from 'vitest';
import type { ProxyStats } from '../../cluster/proxy/proxy.ts';
import { InterceptorWatch } from './interceptor-watch.ts';

/** A proxy that holds so many, and has so many under way in two pods. */
function statsOf(held: number, ...open: number[]): ProxyStats {
  const pods = open.map((count, index) => {
    const stats = { open: count, held: 0, heldSeconds: 0, answered: 0, broken: 0 };
    return [`p${index}`, stats] as const;
  });
  const holding = { now: held, most: held, rejected: 0, expired: 0, wakings: [] };
  return { pods: Object.fromEntries(pods), retried: 0, unserved: 0, holding };
}

it('counts what is held and what is under way, and tells when the number of those held changed', async () => {
  const told = [statsOf(0), statsOf(3), statsOf(3, 1), undefined, statsOf(0, 4, 2)];
  const over = new AbortController();
  const pauses: number[] = [];
  let now = 0;
  const watch = new InterceptorWatch({
    clock: {
      compression: 60,
      now: () => now,
      sleep: async (seconds) => {
        pauses.push(seconds);
        now += 1;
        if (now === told.length) over.abort();
      },
    },
    lookSeconds: 0.5,
    proxyStats: async () => told[now] ?? Promise.reject(new Error('gone')),
  });
  expect(watch.pending).toBeUndefined();
  const seen: [number | undefined, number][] = [];
  await watch.run(over.signal, () => void seen.push([watch.pending, watch.held]));
  expect(seen).toEqual([
    [0, 0],
    [3, 3],
    [4, 3],
    [6, 0],
  ]);
  expect(watch.series).toEqual([
    [1, 3],
    [4, 0],
  ]);
  // Half a second of that clock is 8 ms of the wall, which is too often.
  expect(pauses[0]).toBe(1.2);
});
