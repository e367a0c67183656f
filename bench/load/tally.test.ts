import { expect, it } from 'vitest';
import { readSettlements, type Settlement, Settlements } from './settlements.ts';
import { Tally } from './tally.ts';

const OK: Settlement = { interval: 0, outcome: 'ok', status: 200, version: 0, latency: 1_000, behind: 10 };
const DROPPED: Settlement = { ...OK, outcome: 'dropped', status: 0, version: -1, latency: 0 };

it('passes settlements on as they are, however many', () => {
  const settlements = new Settlements();
  const all = Array.from({ length: 5_000 }, (_, index): Settlement => {
    const kinds = [
      OK,
      DROPPED,
      { ...OK, outcome: 'wrong', version: 3 },
      { ...OK, outcome: 'failed', status: 503 },
    ] as const;
    return { ...kinds[index % 4]!, interval: index, latency: index };
  });
  for (const one of all) settlements.add(one);
  expect([...readSettlements(settlements.take())]).toEqual(all);
  expect([...readSettlements(settlements.take())]).toEqual([]);
  settlements.add({ ...OK, latency: 12.4, behind: -0.3 });
  expect([...readSettlements(settlements.take())]).toEqual([{ ...OK, latency: 12, behind: 0 }]);
});

it('counts a request in the interval that it was scheduled in, and in a look when it is over', () => {
  const tally = new Tally();
  tally.add(OK, 'm/1');
  tally.add({ ...OK, interval: 1, latency: 3_000 }, 'm/2');
  tally.addInFlight(0, 2);
  tally.addInFlight(0, 3);
  expect(tally.look(0.5, 5)).toMatchObject({ at: 0.5, inFlight: 5, ok: 2, versions: { 'm/1': 1, 'm/2': 1 } });
  tally.add({ ...OK, outcome: 'failed', status: 503, version: -1, latency: 9_000 }, undefined);
  tally.add(DROPPED, undefined);
  const [first, ...others] = tally.close(1);
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    at: 0,
    inFlight: 5,
    scheduled: 3,
    ok: 1,
    failed: 1,
    dropped: 1,
    statuses: { 200: 1, 503: 1 },
  });
  // Latencies are of answers with status 200 alone.
  expect(first!.latency).toEqual({ p50: 1_000, p90: 1_000, p99: 1_000, p999: 1_000, max: 1_000 });
  expect(tally.look(1, 0)).toMatchObject({ scheduled: 2, ok: 0, failed: 1, dropped: 1 });
  // Nothing was scheduled in the last one, which is told of all the same.
  expect(tally.close(3).map(({ at, scheduled }) => [at, scheduled])).toEqual([
    [1, 1],
    [2, 0],
  ]);
  expect(tally.intervals.map(({ at }) => at)).toEqual([0, 1, 2]);
  expect(tally.total()).toMatchObject({ scheduled: 4, ok: 2, failed: 1, dropped: 1, behindP99: 10 });
});

it('has percentiles to three digits, from one microsecond to minutes', () => {
  const tally = new Tally();
  for (let micros = 1; micros <= 100_000; micros += 1) tally.add({ ...OK, latency: micros, behind: micros }, undefined);
  tally.add({ ...OK, latency: 600_000_000 }, undefined);
  const { latency, behindP99 } = tally.total();
  const wanted = { p50: 50_000, p90: 90_000, p99: 99_000, p999: 99_900, max: 600_000_000 };
  for (const [name, value] of Object.entries(wanted)) {
    expect(Math.abs(latency![name as keyof typeof wanted] / value - 1)).toBeLessThan(0.001);
  }
  expect(Math.abs(behindP99! / 99_000 - 1)).toBeLessThan(0.001);
});

it('has a total of nothing', () => {
  const { latency, ...total } = new Tally().total();
  expect(latency).toBeUndefined();
  expect(total).toEqual({
    scheduled: 0,
    ok: 0,
    wrong: 0,
    failed: 0,
    dropped: 0,
    statuses: {},
    versions: {},
  });
});
