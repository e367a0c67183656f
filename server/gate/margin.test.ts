import { expect, it } from 'vitest';
import { Margin } from './margin.ts';

it('plans with all of the time until an answer comes late', () => {
  const margin = new Margin();
  expect(margin.share(0)).toBe(1);
  margin.learn(false, 10);
  expect(margin.share(10)).toBe(1);
  margin.learn(true, 20);
  expect(margin.share(20)).toBeCloseTo(0.8);
});

it('counts those that are late together once', () => {
  const margin = new Margin();
  for (const now of [100, 101, 119]) margin.learn(true, now);
  expect(margin.share(119)).toBeCloseTo(0.8);
  margin.learn(true, 120);
  expect(margin.share(120)).toBeCloseTo(0.64);
});

it('never goes below a part that still admits something', () => {
  const margin = new Margin();
  for (let now = 0; now < 2_000; now += 20) margin.learn(true, now);
  expect(margin.share(1_980)).toBe(0.3);
});

it('comes back as answers are in time, and at once when nothing is told for long', () => {
  const margin = new Margin();
  margin.learn(true, 0);
  for (let now = 1; now <= 20; now += 1) margin.learn(false, now);
  expect(margin.share(20)).toBeCloseTo(0.9);
  for (let now = 21; now <= 60; now += 1) margin.learn(false, now);
  expect(margin.share(60)).toBe(1);
  margin.learn(true, 100);
  expect([margin.share(1_100), margin.share(1_101)]).toEqual([0.8, 1]);
  margin.learn(false, 1_200);
  expect(margin.share(1_200)).toBe(1);
});
