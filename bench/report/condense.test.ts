import { expect, it } from 'vitest';
import { condense } from './condense.ts';
import { handmade, rates } from './testing/handmade.ts';

it('leaves the seconds of a short run as they are', () => {
  const buckets = condense(handmade([{}, { failed: 3 }, { scheduled: 0 }]));
  expect(buckets.map(({ at, seconds, scheduled, ok, bad }) => [at, seconds, scheduled, ok, bad])).toEqual([
    [0, 1, 10, 10, 0],
    [1, 1, 10, 7, 3],
    [2, 1, 0, 0, 0],
  ]);
  expect(buckets[2]).not.toHaveProperty('latency');
});

it('puts seconds of a long run together: rates on average, latencies and what was under way at their worst', () => {
  const worst = { p50: 9, p90: 9, p99: 90_000, p999: 90_001, max: 90_002 };
  const seconds: object[] = rates([1_800, 10]);
  seconds[3] = { scheduled: 20, latency: worst, inFlight: 8 };
  const buckets = condense(handmade(seconds));
  expect(buckets).toHaveLength(900);
  expect(buckets[1]).toMatchObject({ at: 2, seconds: 2, scheduled: 15, versions: { 'm/1': 15 }, inFlight: 8 });
  expect(buckets[1]!.latency).toEqual({ ...worst, p50: 5_000, p90: 8_000 });
});

it('tells rates as the wall counts them', () => {
  const buckets = condense(handmade(rates([9, 10]), { compression: 6 }));
  expect(buckets.map(({ at, seconds, scheduled, ok }) => [at, seconds, scheduled, ok])).toEqual([
    [0, 6, 60, 60],
    [6, 3, 60, 60],
  ]);
});
