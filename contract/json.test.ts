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
    ['NaN, null', Number.NaN, null],
    ['NaN, "null"', Number.NaN, 'null'],
    ['NaN, {"a": [[NaN], {"b": -Infinity}]}', Number.NaN, { a: [[Number.NaN], { b: Number.NEGATIVE_INFINITY }] }],
    ['NaN, "\\u0001NaN", "\\u0001\\u0001NaN", null', Number.NaN, '\u0001NaN', '\u0001\u0001NaN', null],
    ['9007199254740993, "\\u00019007199254740995"', 9007199254740993n, '\u00019007199254740995'],
    ['9007199254740993, 1e-1234567890123456, -1e400', 9007199254740993n, 0, Number.NEGATIVE_INFINITY],
    [
      '1, 18446744073709551615 , {"18446744073709551615":-9007199254740993}',
      1,
      2n ** 64n - 1n,
      { '18446744073709551615': -9007199254740993n },
    ],
  ])('%s', (text, ...values) => expect(parseJson(`[${text}]`)).toEqual(values));

  it('a number, and nothing around it', () =>
    expect(['9007199254740993', '-9007199254740993', 'NaN', '-Infinity'].map(parseJson)).toEqual([
      9007199254740993n,
      -9007199254740993n,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]));

  it('the last of two values of one key, and one of a key that objects have of their own', () => {
    const value = parseJson('{"a": NaN, "a": 1, "__proto__": 9007199254740993}');
    expect(Object.entries(value as object)).toEqual([
      ['a', 1],
      ['__proto__', 9007199254740993n],
    ]);
  });

  it('keeps tokens inside of strings when a token stands beside them', () =>
    expect(parseJson('{"a": [NaN, "x NaN", "\\\\", Infinity]}')).toEqual({ a: [Number.NaN, 'x NaN', '\\', Infinity] }));

  it.each([
    ...[
      '',
      '{',
      '[1,]',
      'nan',
      '[NaN',
      'NaNs',
      '-NaN',
      '+Infinity',
      '--Infinity',
      '5Infinity',
      'Infinity5',
      '1.Infinity',
    ],
    ...[
      '{NaN: 1}',
      '{Infinity: 1}',
      '{9007199254740993 : 1}',
      '[NaN NaN]',
      '[0009007199254740993]',
      '[9007199254740993"a"]',
    ],
  ])('refuses %j', (text) => expect(() => parseJson(text)).toThrow(SyntaxError));

  it('bears a long string beside a token', () =>
    expect(parseJson(`[NaN, "${'x'.repeat(5_000_000)}"]`)).toHaveLength(2));

  it.each([
    ['a string that does not end', `[NaN, "${'x'.repeat(100_000)}`],
    ['one of quotes alone', `[NaN, "${'\\"'.repeat(100_000)}`],
    ['one that ends in a backslash', `[NaN, "${'\\\\'.repeat(100_000)}\\`],
    ['marks without end', `[NaN, null, "${'\\u0001'.repeat(100_000)}`],
    ['digits without end', `[NaN, ${'9'.repeat(1_000_000)}`],
    ['blanks behind each token', `[${'NaN '.repeat(100_000)}${' '.repeat(100_000)}`],
  ])('refuses %s beside a token, and soon', (_what, text) => expect(() => parseJson(text)).toThrow(SyntaxError));

  it('takes a whole number without end for what a float of it is', () =>
    expect(parseJson(`[1, ${'9'.repeat(41)}, ${'9'.repeat(100_000)}]`)).toEqual([1, 1e41, Infinity]));
});

describe('what strict JSON cannot say costs little more than the rest, wherever it stands', () => {
  const cpu = (text: string): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round += 1) {
      const before = process.cpuUsage();
      parseJson(text);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return least;
  };
  const plain = cpu(`[${'1,'.repeat(500_000)}1]`);

  it.each([
    ['a token before it', `[NaN,${'1,'.repeat(500_000)}1]`],
    ['a token behind it', `[${'1,'.repeat(500_000)}NaN]`],
    ['a long integer', `[${'1,'.repeat(500_000)}9007199254740993]`],
  ])('%s', (_what, text) => expect(cpu(text) / plain).toBeLessThan(15));
});

it('keeps the sign of zero', () => expect(stringifyJson([-0, 0, { a: -0 }])).toBe('[-0.0,0,{"a":-0.0}]'));

it('writes and reads back what strict JSON cannot', () => {
  const value = [1n, 2.5, Number.NaN, 'NaN', Infinity, -Infinity, null, 9007199254740993n];
  expect(parseJson(stringifyJson(value))).toEqual([1, ...value.slice(1)]);
});
