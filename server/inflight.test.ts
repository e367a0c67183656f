import { expect, it } from 'vitest';
import { Inflight } from './inflight.ts';

it('integrates the number of requests over time, exactly', () => {
  let now = 100;
  const inflight = new Inflight(() => now);
  now = 110;
  expect(inflight.total()).toBe(0);
  inflight.begin();
  now = 112;
  inflight.begin();
  now = 113;
  expect([inflight.total(), inflight.count]).toEqual([2 + 2, 2]);
  inflight.end();
  now = 117;
  inflight.end();
  now = 1000;
  expect([inflight.total(), inflight.count]).toEqual([2 + 2 + 4, 0]);
  expect(inflight.total()).toBe(8);
});
