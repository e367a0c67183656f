import { expect, it } from 'vitest';
import { parseQuantity } from './quantity.ts';

it.each([
  ['4', 4_000],
  [4, 4_000],
  ['13333m', 13_333],
  ['0.5', 500],
  ['.5', 500],
  ['1.005', 1_005],
  ['100u', 1],
  ['1e3', 1_000_000],
  ['12E', 12_000_000_000_000_000_000_000],
  ['1k', 1_000_000],
  ['1.5Ki', 1_536_000],
  ['4Gi', 4_294_967_296_000],
  ['-2', -2_000],
  ['0', 0],
])('%s is %d thousandths', (text, milli) => {
  expect(parseQuantity(text)!.milli).toBe(milli);
});

it.each(['', '.', 'm', '4 Gi', '4gi', '1e', 'four', '1..2', 'NaN'])('%j is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

it('is a floating point number as the controller reads it: multiplied by a thousandth, not divided', () => {
  expect(parseQuantity('0.05')!.approximate).toBe(0.05);
  expect(parseQuantity('0.1')!.approximate).toBe(0.1);
  expect(parseQuantity('0.57')!.approximate).toBe(570 * 0.001);
  expect(parseQuantity('0.57')!.approximate).not.toBe(0.57);
  expect(parseQuantity('2')!.approximate).toBe(2);
  expect(parseQuantity('25u')!.approximate).toBe(25 * 1e-6);
});
