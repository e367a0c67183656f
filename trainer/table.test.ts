import { expect, it } from 'vitest';
import { numeric, tableOf } from './fit/testing/tables.ts';
import { pick, rowCount, rowMajor, rowsOf, withRows } from './table.ts';

const table = tableOf(numeric('a', [1, 2, 3]), numeric('b', [10, Number.NaN, 30]));
const set = { table, target: Float64Array.from([0, 1, 2]) };

it('a part shares the table and takes rows by index', () => {
  const part = withRows(set, Uint32Array.from([2, 0]));
  expect(part.table).toBe(table);
  expect([rowCount(set), rowCount(part)]).toEqual([3, 2]);
  expect([...rowsOf(set)]).toEqual([0, 1, 2]);
  expect([...pick(part.target, part.rows)]).toEqual([2, 0]);
});

it('rows are laid out as a model takes them', () => {
  expect([...rowMajor(table)]).toEqual([1, 10, 2, Number.NaN, 3, 30]);
  expect([...rowMajor(table, Uint32Array.from([2]))]).toEqual([3, 30]);
});
