import { expect, it } from 'vitest';
import { parseHeader, parseTarget, parseUrl, readByModel } from './command-options.ts';

it.each([
  ['bike', { model: 'bike', weight: 1 }],
  ['bike=2.5', { model: 'bike', weight: 2.5 }],
  ['bike/7', { model: 'bike', version: '7', weight: 1 }],
  ['bike.v2/7=3', { model: 'bike.v2', version: '7', weight: 3 }],
])('--model %s', (text, target) => expect(parseTarget(text)).toEqual(target));

it.each(['', '=2', 'bike=', 'bike=0', 'bike=-1', 'bike=much', 'bike=Infinity', 'bike/seven', 'bike/'])(
  '--model %j is refused',
  (text) => expect(() => parseTarget(text)).toThrow('write NAME, NAME=WEIGHT'),
);

it.each([
  ['Authorization: Bearer a:b', ['authorization', 'Bearer a:b']],
  ['x-a:1', ['x-a', '1']],
  ['x-a:', ['x-a', '']],
])('--header %j', (text, header) => expect(parseHeader(text)).toEqual(header));

it.each(['', 'x-a', ': 1', 'x a: 1', 'x-a: 1\r\nx-b: 2'])('--header %j is refused', (text) =>
  expect(() => parseHeader(text)).toThrow('--header takes NAME: VALUE'),
);

it.each([
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['https://a.example/prefix/', 'https://a.example/prefix'],
])('%s is an address', (text, url) => expect(parseUrl(text)).toBe(url));

it.each(['', '127.0.0.1:8080', 'ftp://a', 'http://a?b=1', 'http://user@a'])('%j is no address', (text) =>
  expect(() => parseUrl(text)).toThrow('write it as http://HOST:PORT'),
);

it('reads files for all models and for one, several of each', () => {
  const read = (file: string): Buffer => {
    if (file === 'none') throw new Error('there is no such file');
    return Buffer.from(`of ${file}`);
  };
  const parse = (_file: string, bytes: Buffer): string[] => [String(bytes)];
  expect(readByModel('body', ['a.json', 'm=b.json', 'c.json', './x=y.json'], read, parse)).toEqual(
    new Map([
      ['', ['of a.json', 'of c.json', 'of ./x=y.json']],
      ['m', ['of b.json']],
    ]),
  );
  expect(() => readByModel('body', ['none'], read, parse)).toThrow('--body none: there is no such file.');
});
