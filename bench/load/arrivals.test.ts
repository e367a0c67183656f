import { describe, expect, it } from 'vitest';
import { Random } from '../../platform/random.ts';
import { arrivalsOf } from './arrivals.ts';
import { compressed, rateAt, requestsOf } from './schedule.ts';
import { parseSchedule } from './schedule-spec.ts';

const none = (): number => {
  throw new Error('evenly spaced arrivals draw nothing');
};
const schedule = (spec: string) => parseSchedule(spec, () => '0,10\n5,0\n10,40\n');
const even = (spec: string): number[] => [...arrivalsOf(schedule(spec), none)];
const drawn = (spec: string, seed: number): number[] => {
  const random = new Random(seed);
  return [...arrivalsOf(schedule(spec), () => random.next())];
};

describe('evenly spaced', () => {
  it.each([
    ['constant:4/1s', [0, 0.25, 0.5, 0.75]],
    ['constant:0.5/5s', [0, 2, 4]],
    ['steps:2,4/2s', [0, 0.5, 1, 1.25, 1.5, 1.75]],
    ['steps:1,0,1/3s', [0, 2]],
    // The integral is t squared.
    ['ramp:0..6/3s', [0, 1, Math.SQRT2, Math.sqrt(3), 2, Math.sqrt(5), Math.sqrt(6), Math.sqrt(7), Math.sqrt(8)]],
    ['ramp:2..0/2s', [0, 2 - Math.SQRT2]],
  ])('%s arrives at %j', (spec, times) => expect(even(spec)).toEqual(times.map((time) => expect.closeTo(time, 9))));

  it.each([
    ['constant:200/200ms', 40],
    ['constant:0.1/100s', 10],
    ['constant:333/3s', 999],
    ['ramp:10..200/60s', 6_300],
    ['sine:10..200/10m,period=5m', 63_000],
    ['trace:a.csv', 250],
  ])('%s arrives %s times', (spec, count) => expect(even(spec)).toHaveLength(count));
});

describe('at random', () => {
  const SPECS = [
    'poisson:100/100s',
    'ramp:10..200/100s,poisson',
    'sine:0..100/100s,period=50s,poisson',
    'trace:a.csv,times=8,poisson',
  ];

  it.each(SPECS)('%s is in order, within its time, and the same for the same seed', (spec) => {
    const times = drawn(spec, 1);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every((time) => rateAt(schedule(spec), time) > 0)).toBe(true);
    expect(drawn(spec, 1)).toEqual(times);
    expect(drawn(spec, 2)).not.toEqual(times);
  });

  it.each(SPECS)('%s has the mean and the spread of a Poisson process in each tenth of its requests', (spec) => {
    const line = schedule(spec);
    const total = requestsOf(line);
    const end = line.segments.at(-1)!.to;
    const shares = new Array<number>(10).fill(0);
    // Where a tenth of the requests has come, by the integral of the rate in small steps.
    const bounds: number[] = [];
    for (let at = 0, sum = 0; at < end; at += end / 100_000) {
      sum += (rateAt(line, at) * end) / 100_000;
      while (bounds.length < 9 && sum >= (total * (bounds.length + 1)) / 10) bounds.push(at);
    }
    for (const time of drawn(spec, 7)) shares[bounds.filter((bound) => bound <= time).length]! += 1;
    const mean = total / 10;
    // Chi square with 10 degrees of freedom: 35 is passed once in ten thousand, and the seed is fixed.
    const chi = shares.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    expect(chi).toBeLessThan(35);
    expect(chi).toBeGreaterThan(0.5);
  });

  it('spaces them as an exponential distribution does', () => {
    const times = drawn('poisson:1000/20s', 3);
    const gaps = times.slice(1).map((time, index) => (time - times[index]!) * 1_000);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(variance).toBeCloseTo(1, 1);
    expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  });
});

it('keeps the rates in compressed time, and has fewer requests', () => {
  const line = compressed(schedule('ramp:10..200/60s'), 10);
  expect(requestsOf(line)).toBeCloseTo(630, 6);
  expect([rateAt(line, 0), rateAt(line, 3)]).toEqual([10, expect.closeTo(105, 9)]);
});
