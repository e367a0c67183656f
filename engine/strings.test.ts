import { expect, it } from 'vitest';
import type { Tensors } from '../contract/tensor.ts';
import { hideNul, showNul, standInForNul } from './strings.ts';

function inputs(...data: string[]): Tensors {
  return new Map([
    ['n', { datatype: 'INT8', shape: [1], data: new Int8Array(1) }],
    ['text', { datatype: 'BYTES', shape: [data.length], data }],
  ]);
}

it('needs no stand-in without NUL', () => expect(standInForNul(inputs('', 'a\ufdd0'))).toBeUndefined());

it('takes the first noncharacter that is free', () => {
  expect(standInForNul(inputs('a\u0000b'))).toBe('\ufdd0');
  expect(standInForNul(inputs('a\u0000b', '\ufdd1', '\ufdd0'))).toBe('\ufdd2');
});

it('refuses when all are taken', () => {
  const all = Array.from({ length: 32 }, (_, index) => String.fromCharCode(0xfdd0 + index)).join('');
  expect(() => standInForNul(inputs('\u0000', all))).toThrow(expect.objectContaining({ code: 'request-invalid' }));
});

it('brings every NUL through', () => {
  const data = ['', '\u0000', 'a\u0000\u0000b\u0000', 'x'];
  const hidden = hideNul(data, '\ufdd3');
  expect(hidden.join('')).not.toContain('\u0000');
  expect(showNul(hidden, '\ufdd3')).toEqual(data);
});
