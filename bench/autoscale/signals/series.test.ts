import { expect, it } from 'vitest';
import { PodSeries } from './series.ts';

function seriesOf(samples: readonly (readonly [at: number, requests: number, cpu?: number])[]): PodSeries {
  const series = new PodSeries();
  for (const [at, requestSeconds, cpuSeconds] of samples) {
    series.addRequests(at, requestSeconds);
    if (cpuSeconds !== undefined) series.addUsage(at, { cpuSeconds, residentBytes: at * 100 });
  }
  return series;
}

it.each([
  { samples: [], missing: true },
  { samples: [[0, 0]] as const, missing: true },
  {
    samples: [
      [0, 0],
      [10, 40],
    ] as const,
    missing: false,
  },
])('a pod with samples $samples is missing: $missing', ({ samples, missing }) => {
  expect(seriesOf(samples).concurrencySample(10, 30) === undefined).toBe(missing);
});

it('averages the requests under way', () => {
  const series = seriesOf([
    [0, 100],
    [10, 140],
    [20, 140],
    [30, 230],
  ]);
  expect(series.averages()).toEqual([
    [10, 4],
    [20, 0],
    [30, 9],
  ]);
  expect(series.concurrencySample(32, 25)).toEqual({ value: 4500, age: 2, window: 25 });
});

it('takes CPU over at least the resolution of metrics-server', () => {
  const series = seriesOf([
    [0, 0, 1],
    [10, 0, 3],
    [20, 0, 9],
  ]);
  expect(series.cpuSample(21, 15)).toEqual({ value: 400, age: 1, window: 20 });
  expect(series.cpuSample(21, 10)).toEqual({ value: 600, age: 1, window: 10 });
  expect(series.cpuSample(21, 25)).toBeUndefined();
  expect(seriesOf([[0, 0]]).cpuSample(5, 15)).toBeUndefined();
  expect(series.memorySample(21)).toEqual({ value: 2_000_000, age: 1, window: 0 });
});
