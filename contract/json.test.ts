import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from './json.ts';

describe('parseJson', () => {
  it.each([
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9007199254740991', 9007199254740991],
    ['0.10000000149011612', 0.10000000149011612],
    ['12345678901234567890.5', Number('12345678901234567890.5')],
    ['1e300', 1e300],
    ['NaN', Number.NaN],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['"NaN"', 'NaN'],
    ['"a \\" NaN"', 'a " NaN'],
    ['"1234567890123456789"', '1234567890123456789'],
  ])('%s', (text, value) => expect(parseJson(`[${text}]`)).toEqual([value]));

  it('keeps tokens inside of strings when a token stands beside them', () =>
    expect(parseJson('{"a": [NaN, "x NaN", "\\\\", Infinity]}')).toEqual({ a: [Number.NaN, 'x NaN', '\\', Infinity] }));

  it.each(['', '{', '[1,]', 'nan', '[NaN', 'NaNs'])('refuses %j', (text) =>
    expect(() => parseJson(text)).toThrow(SyntaxError),
  );

  it('bears a long string beside a token', () =>
    expect(parseJson(`[NaN, "${'x'.repeat(5_000_000)}"]`)).toHaveLength(2));

  it.each([
    ['a string that does not end', `[NaN, "${'x'.repeat(100_000)}`],
    ['one of quotes alone', `[NaN, "${'\\"'.repeat(100_000)}`],
    ['one that ends in a backslash', `[NaN, "${'\\\\'.repeat(100_000)}\\`],
  ])('refuses %s beside a token, and soon', (_what, text) => expect(() => parseJson(text)).toThrow(SyntaxError));

  it('takes a whole number without end for what a float of it is', () =>
    expect(parseJson(`[1, ${'9'.repeat(41)}, ${'9'.repeat(100_000)}]`)).toEqual([1, 1e41, Infinity]));
});

it('keeps the sign of zero', () => expect(stringifyJson([-0, 0, { a: -0 }])).toBe('[-0.0,0,{"a":-0.0}]'));

it('writes and reads back what strict JSON cannot', () => {
  const value = [1n, 2.5, Number.NaN, 'NaN', Infinity, -Infinity, null, 9007199254740993n];
  expect(parseJson(stringifyJson(value))).toEqual([1, ...value.slice(1)]);
});
