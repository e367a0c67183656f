import { expect, it } from 'vitest';
import { readTrace } from './trace.ts';

it.each([
  ['with a head', 'seconds,rate\n0,1\n60,2.5\n'],
  ['without', '0,1\n60,2.5'],
  ['with remarks, empty lines, spaces and further columns', '# of July\r\n\r\n 0 , 1 ,x\r\n60,2.5,y,z\r\n'],
  ['with a byte order mark', '\ufeffseconds,rate\n0,1\n60,2.5\n'],
])('reads a trace %s', (_, text) =>
  expect(readTrace(text, 'a.csv')).toEqual([
    { seconds: 0, rate: 1 },
    { seconds: 60, rate: 2.5 },
  ]),
);

it.each([
  ['', /a\.csv: it has no rows/],
  ['seconds,rate\n', /it has no rows/],
  ['0,1\n60\n', /line 2 must begin with seconds and a rate/],
  ['0,1\n60,-1\n', /line 2 must/],
  ['0,1\n60,fast\n', /line 2 must/],
  ['0,1\n60,\n', /line 2 must/],
  ['t,r\n0,1\n60,2\n60,3\n', /line 4 is not later than the one before it/],
  ['0,"1\n', /a\.csv/],
])('refuses %j', (text, message) => expect(() => readTrace(text, 'a.csv')).toThrow(message));
