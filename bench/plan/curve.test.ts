import { describe, expect, it } from 'vitest';
import { type CurvePoint, curveOf, inFlightAt, p99At, rateWithin } from './curve.ts';

const point = (rate: number, inFlight: number, p99Ms: number): CurvePoint => ({ rate, inFlight, p99Ms });
const CURVE = curveOf([point(100, 1, 10), point(200, 4, 20), point(250, 16, 80)]);

describe('a curve of what was measured', () => {
  it('is in order of rate, and ends at its peak', () => {
    const measured = [point(240, 32, 150), point(250, 16, 80), point(100, 1, 10), point(200, 4, 20)];
    expect(curveOf(measured)).toEqual(CURVE);
    expect(CURVE.capacity).toBe(250);
  });

  it('takes no rate for slower than a higher one', () => {
    const { points } = curveOf([point(50, 0.5, 90), point(100, 1, 30), point(200, 4, 20), point(250, 9, 40)]);
    expect(points.map(({ p99Ms }) => p99Ms)).toEqual([20, 20, 20, 40]);
  });

  it.each([
    ['none', []],
    ['a rate of nothing', [point(0, 1, 10)]],
    ['no number', [point(100, Number.NaN, 10)]],
  ])('says what is wrong with %s', (_, measured) => {
    expect(() => curveOf(measured)).toThrow(/capacity curve needs points/);
  });

  it.each([
    [0, 0, 10],
    [50, 0.5, 10],
    [100, 1, 10],
    [150, 2.5, 15],
    [225, 10, 50],
    [250, 16, 80],
    [900, 16, 80],
  ])('at %d a second has %d under way and a p99 of %d ms', (rate, inFlight, p99Ms) => {
    expect(inFlightAt(CURVE, rate)).toBeCloseTo(inFlight, 9);
    expect(p99At(CURVE, rate)).toBeCloseTo(p99Ms, 9);
  });

  it('of a single point goes through nothing and it', () => {
    const single = curveOf([point(100, 2, 10)]);
    expect(inFlightAt(single, 50)).toBe(1);
    expect(p99At(single, 50)).toBe(10);
  });

  it.each([
    [{ p99Ms: 15 }, 150],
    [{ p99Ms: 1_000 }, 250],
    [{ p99Ms: 9 }, 0],
    [{ inFlight: 2.5 }, 150],
    [{ inFlight: 2.5, p99Ms: 12 }, 120],
  ])('%o lets a pod be asked %d times a second', (objective, rate) => {
    expect(rateWithin(CURVE, { ...objective, share: 1 })).toBeCloseTo(rate, 6);
  });
});
