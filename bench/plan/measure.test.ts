import { describe, expect, it } from 'vitest';
import type { LoadTotal } from '../report/record.ts';
import { type Ask, meanOf, measureCurve, pointOf, type Trial } from './measure.ts';

const NO_LATENCY = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };

function totalOf(scheduled: number, ok: number, latency: LoadTotal['latency']): LoadTotal {
  const counts = { scheduled, ok, wrong: 0, failed: scheduled - ok, dropped: 0, statuses: {}, versions: {} };
  return { ...counts, behindP99: 0, ...(latency && { latency }) };
}

/** A queue with one server at random arrivals and services: the time in it is exponential, and known. */
function queue(perSecond: number): { ask: Ask; asked: number[] } {
  const asked: number[] = [];
  const ask: Ask = async (rate, seconds) => {
    asked.push(rate);
    const scheduled = rate * seconds;
    const ok = Math.min(rate, perSecond) * seconds;
    const meanMicros = 1e6 / (perSecond - Math.min(rate, perSecond * 0.999));
    const at = (share: number): number => -Math.log(1 - share) * meanMicros;
    const latency = { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(0.9999) };
    return { total: totalOf(scheduled, ok, latency), seconds, left: 0, inFlight: undefined };
  };
  return { ask, asked };
}

describe('a pod is measured', () => {
  it('up to what it bears', async () => {
    const { ask, asked } = queue(1_000);
    const points = await measureCurve(ask, { startRate: 10, seconds: 8 });
    expect(points).toHaveLength(8);
    const peak = points.at(-1)!.rate / 0.95;
    // Up to where 97 % of a rate were answered.
    expect(peak).toBeGreaterThan(900);
    expect(peak).toBeLessThan(1_000 / 0.97);
    for (const { rate, p99Ms } of points.slice(0, 5))
      expect(p99Ms).toBeCloseTo((-Math.log(0.01) * 1_000) / (1_000 - rate), 6);
    expect(asked[0]).toBe(10);
  });

  it.each([
    ['one at a time', 1],
    ['many at once', 100],
  ])('and answers that come when the rate is over prove nothing: %s', async (_, lanes) => {
    // Half a second each, in turn: all is answered at last.
    const ask: Ask = async (rate, seconds) => {
      const free = new Array<number>(lanes).fill(0);
      const scheduled = Math.round(rate * seconds);
      const ends = Array.from({ length: scheduled }, (_, index) => {
        const at = index / rate;
        const lane = free.indexOf(Math.min(...free));
        free[lane] = Math.max(at, free[lane]!) + 0.5;
        return { end: free[lane]!, micros: (free[lane]! - at) * 1e6 };
      });
      const at = (share: number): number =>
        ends.map(({ micros }) => micros).sort((a, b) => a - b)[Math.floor(share * (scheduled - 1))]!;
      const latency = { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
      const left = ends.filter(({ end }) => end > seconds).length;
      return { total: totalOf(scheduled, scheduled, latency), seconds, left, inFlight: undefined };
    };
    const points = await measureCurve(ask, { startRate: 1, seconds: 4 });
    const most = Math.max(...points.map(({ rate }) => rate));
    expect(most).toBeGreaterThan(2 * lanes * 0.7);
    expect(most).toBeLessThanOrEqual(2 * lanes);
  });

  it('and a point again where something else disturbed it', async () => {
    const { ask } = queue(1_000);
    const held: number[] = [];
    const disturbed: Ask = async (rate, seconds) => {
      const trial = await ask(rate, seconds, 5_000);
      if (seconds < 8) return trial;
      held.push(rate);
      return held.length === 3 ? { ...trial, total: { ...trial.total, ok: 1 } } : trial;
    };
    const points = await measureCurve(disturbed, { startRate: 10, seconds: 8 });
    expect(held).toHaveLength(9);
    expect(held[3]).toBe(held[2]);
    expect(points[2]!.rate).toBeCloseTo(held[2]!, 9);
  });

  it('and a point again where the driver was late, of which it tells if it is so again', async () => {
    const { ask } = queue(1_000);
    const held: number[] = [];
    const late = new Set([2, 6, 7, 8]);
    const disturbed: Ask = async (rate, seconds, timeoutMs) => {
      const trial = await ask(rate, seconds, timeoutMs);
      if (seconds < 8) return trial;
      held.push(rate);
      return { ...trial, total: { ...trial.total, behindP99: late.has(held.length) ? 1e6 : 0 } };
    };
    const told: [rate: number, behindP99: number][] = [];
    const onLate = (rate: number, behindP99: number): void => void told.push([rate, behindP99]);
    expect(await measureCurve(disturbed, { startRate: 10, seconds: 8, onLate })).toHaveLength(8);
    // The second point is asked for twice, and the fifth three times in vain.
    expect(held).toHaveLength(11);
    expect(told).toEqual([[held[7], 1e6]]);
  });

  it('or it says that it does not answer', async () => {
    const ask: Ask = async (rate, seconds) => ({
      total: totalOf(rate * seconds, 0, undefined),
      seconds,
      left: 0,
      inFlight: undefined,
    });
    await expect(measureCurve(ask, { startRate: 10, seconds: 8 })).rejects.toThrow(/not even 10 requests a second/);
  });
});

describe('what was under way', () => {
  const trial = (inFlight: number | undefined): Trial => ({
    total: totalOf(500, 500, { ...NO_LATENCY, p50: 20_000, p90: 20_000, p99: 20_000, p999: 20_000, max: 20_000 }),
    seconds: 5,
    left: 0,
    inFlight,
  });

  it('is what the server tells', () => {
    expect(pointOf(trial(1.5))).toEqual({ rate: 100, inFlight: 1.5, p99Ms: 20 });
  });

  it('is else rate times latency', () => {
    // 100 a second for 20 ms each.
    expect(Math.abs(pointOf(trial(undefined)).inFlight / 2 - 1)).toBeLessThan(0.15);
  });

  it('is near to what queues have, of which only percentiles are known', () => {
    const at = (share: number): number => -Math.log(1 - share) * 1_000;
    const mean = meanOf({ p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(0.9999) });
    expect(Math.abs(mean / 1_000 - 1)).toBeLessThan(0.15);
  });
});
