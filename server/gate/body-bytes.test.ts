import { expect, it } from 'vitest';
import { BodyBytes } from './body-bytes.ts';

it('takes bytes up to the limit, and again when others gave theirs back', () => {
  const bytes = new BodyBytes(100);
  const [one, two] = [{ held: 0 }, { held: 0 }];
  expect([bytes.take(one, 60), bytes.take(two, 40), bytes.take(two, 1)]).toEqual([true, true, false]);
  expect([bytes.held, one.held, two.held]).toEqual([100, 60, 40]);
  bytes.release(one);
  bytes.release(one);
  expect([bytes.take(two, 60), bytes.held, one.held]).toEqual([true, 100, 0]);
});

it('takes one request of any size where there is nothing of others', () => {
  const bytes = new BodyBytes(100);
  const [one, two] = [{ held: 0 }, { held: 0 }];
  expect([bytes.take(one, 90), bytes.take(one, 90), bytes.take(two, 1)]).toEqual([true, true, false]);
  expect([bytes.take(one, -10), bytes.take(two, 1), bytes.take(one, -100), bytes.take(two, 10)]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect([bytes.take(one, 30), bytes.held]).toEqual([false, 80]);
});
