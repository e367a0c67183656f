import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CsvTable, readCsv } from './csv.ts';
import { numberOf } from './csv-columns.ts';
import { dateOf } from './csv-times.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-csv-test-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const file = join(home, 'table.csv');
const read = (text: string, options: object = {}): Promise<CsvTable> => {
  writeFileSync(file, text);
  return readCsv(file, { target: 'y', ...options });
};

describe('cells', () => {
  it.each<[string, number | undefined]>([
    ['1', 1],
    [' -2.5e3 ', -2500],
    ['.5', 0.5],
    ['True', 1],
    ['no', 0],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['', Number.NaN],
    ['N/A', Number.NaN],
    ['0x10', undefined],
    ['1,5', undefined],
    ['1 2', undefined],
    ['north', undefined],
  ])('%j is the number %s', (cell, number) => expect(numberOf(cell)).toBe(number));

  it.each<[string, number | undefined]>([
    ['1970-01-02', 86400],
    ['1970-01-01T01:00', 3600],
    ['1970-01-01 01:00:30.5', 3630.5],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1970-01-01T01:00:00-0100', 7200],
    ['17', undefined],
    ['1970-13-01', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%j is the time %s', (cell, seconds) => expect(dateOf(cell)).toBe(seconds));
});

it('numbers, texts, missing values, times, weights and groups are told apart', async () => {
  const { table, target, times, weights, groups } = await read(
    '\ufefft,zone,temp,y,w,code\n2026-01-01T00:00,north,1.5,3,1,7\n2026-01-01T01:00,,NA,4,2,\n2026-01-01T02:00,"east, far",true,5,1,8\n',
    { time: 't', weight: 'w', group: 'zone', categorical: ['code'] },
  );
  expect(table.rows).toBe(3);
  expect(table.columns.map(({ name, kind, values, categories }) => [name, kind, [...values], categories])).toEqual([
    ['zone', 'categorical', [1, Number.NaN, 0], ['east, far', 'north']],
    ['temp', 'numeric', [1.5, Number.NaN, 1], undefined],
    ['code', 'categorical', [7, Number.NaN, 8], undefined],
  ]);
  expect([...target]).toEqual([3, 4, 5]);
  expect(times![1]! - times![0]!).toBe(3600);
  expect([...weights!]).toEqual([1, 2, 1]);
  expect(groups).toEqual(['north', '', 'east, far']);
});

it('columns that are to be ignored are no features, whatever they hold', async () => {
  const { table } = await read('id,x,y\na,1,2\nb,2,3\n', { ignore: ['id'] });
  expect(table.columns.map(({ name }) => name)).toEqual(['x']);
});

it.each([
  ['semicolons', ';'],
  ['tabs', '\t'],
])('fields may be parted by %s', async (_, sign) => {
  const lines = [
    ['a, b', 'c', 'y'],
    ['1', 'x,x', '3'],
    ['2', '5', '4'],
  ].map((line) => line.join(sign));
  const { table, target } = await read(`${lines.join('\n')}\n`);
  expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
    ['a, b', 'numeric'],
    ['c', 'categorical'],
  ]);
  expect([...target]).toEqual([3, 4]);
});

describe('times that are numbers', () => {
  const timesOf = async (...cells: string[]): Promise<number[]> => {
    const { times } = await read(`t,x,y\n${cells.map((cell) => `${cell},1,2`).join('\n')}\n`, { time: 't' });
    return [...times!];
  };

  it.each([
    ['seconds', ['1760000000', '1760003600.5'], [1760000000, 1760003600.5]],
    ['milliseconds', ['1760000000000', '1760003600500'], [1760000000, 1760003600.5]],
    ['microseconds', ['1760000000000000', '1760003600500000'], [1760000000, 1760003600.5]],
    ['nanoseconds', ['1760000000000000000', '1760003600500000000'], [1760000000, 1760003600.5]],
    ['seconds of more than a century', ['200000000', '5000000000'], [200000000, 5000000000]],
    ['a count of the table', ['0', '1', '400000000000'], [0, 1, 400000000000]],
  ])('%s', async (_, cells, wanted) => expect(await timesOf(...cells)).toEqual(wanted));

  it.each([
    [
      ['1760000000', '1760003600000'],
      /'t' goes from 1760000000 to 1760003600000: that is no one unit of time since 1970/,
    ],
    [['2026-01-01', '1760003600'], /'t' has dates up to line 3, where it is "1760003600": write it in one way/],
    [['2026', '2026-01-01'], /'t' has numbers up to line 3, where it is "2026-01-01"/],
  ])('%j are refused', async (cells, message) => {
    await expect(timesOf(...cells)).rejects.toThrow(message);
    await expect(timesOf(...cells)).rejects.toMatchObject({ code: 'data-invalid' });
  });
});

describe('what cannot be a table is told', () => {
  it.each<[string, string, object, RegExp]>([
    ['a target that is not there', 'x,cnt\n1,2\n', { target: 'cmt' }, /no column 'cmt'; did you mean 'cnt'\?/],
    [
      'a column to ignore that is not there',
      'x,y\n1,2\n',
      { ignore: ['quite-another'] },
      /no column 'quite-another': there are x, y/,
    ],
    ['no rows', 'x,y\n', {}, /has a head, and no rows/],
    ['nothing', '', {}, /is empty/],
    [
      'a text for a target',
      'x,y\n1,2\n1,many\n',
      {},
      /The target 'y' is "many" in line 3: it must be a number in every row/,
    ],
    ['a character that cannot be seen', 'x,y\n1,\u00112\n', {}, /is "\\u00112" in line 2/],
    [
      'a line after empty ones and ones with breaks within quotes',
      'x,y\n\n"a\nb",2\n"c\r\nd",3\n\n"e\nf",many\n',
      {},
      /"many" in line 8:/,
    ],
    [
      'a decimal comma',
      'x;y\n1,5;2\n2;3\n',
      {},
      /'x' has numbers with a decimal comma, such as 1,5: write them with a point/,
    ],
    ['a decimal comma in the target', 'x;y\n1;2,5\n', {}, /The target 'y' is "2,5" in line 2/],
    ['a missing target', 'x,y\n1,2\n1,NaN\n', {}, /The target 'y' is missing in line 3/],
    ['a time that is none', 't,x,y\nsoon,1,2\n', { time: 't' }, /The time 't' is "soon" in line 2: it must be a time/],
    ['a ragged line', 'x,y\n1,2\n1,2,3\n', {}, /cannot be read: Invalid Record Length: .* line 3/],
    ['an open quote', 'x,y\n1,"2\n', {}, /cannot be read: Quote Not Closed/],
    ['two columns of one name', 'x,x,y\n1,2,3\n', {}, /two columns named 'x'/],
    ['codes that are none', 'c,y\n1.5,2\n', { categorical: ['c'] }, /Column 'c' has 1\.5 in line 2: codes/],
    [
      'names of things',
      `name,y\n${Array.from({ length: 1100 }, (_, at) => `n${at},1`).join('\n')}\n`,
      {},
      /'name' has more than 1000 different texts.*--ignore name/,
    ],
  ])('%s', async (_, text, options, message) => {
    const table = read(text, options);
    await expect(table).rejects.toThrow(message);
    await expect(table).rejects.toMatchObject({ code: 'data-invalid' });
  });

  it('a file that is not there', async () => {
    await expect(readCsv(join(home, 'none.csv'), { target: 'y' })).rejects.toThrow(/none\.csv cannot be read: ENOENT/);
  });
});
