import { describe, expect, it } from 'vitest';
import { unprovedOperators } from '../../../contract/onnx/harmless.ts';
import { readHeadOfBytes } from '../../../contract/onnx/head.ts';
import { rowsIndependent } from '../../../contract/onnx/rows.ts';
import { checkParity } from '../parity.ts';
import { seededRandom } from '../random.ts';
import { categorical, numeric, tableOf } from '../testing/tables.ts';
import { ridge } from './ridge.ts';
import { solveCholesky } from './solve.ts';

const random = seededRandom(5);
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

const table = tableOf(
  numeric(
    'x',
    many(500, () => random() * 4),
  ),
  numeric(
    'year',
    many(500, () => 2000 + random() * 30),
  ),
  numeric(
    'holes',
    many(500, () => (random() < 0.2 ? Number.NaN : random())),
  ),
  categorical(
    'zone',
    many(500, () => (random() < 0.1 ? Number.NaN : Math.floor(random() * 5) * 10)),
  ),
  numeric(
    'constant',
    many(500, () => 7),
  ),
  numeric(
    'absent',
    many(500, () => Number.NaN),
  ),
);
const at = (column: number, row: number): number => table.columns[column]!.values[row]!;
const target = Float64Array.from(
  { length: 500 },
  (_, row) => 3 * at(0, row) - at(1, row) / 10 + (at(3, row) === 20 ? 5 : 0) + 1,
);

describe('ridge', () => {
  it('finds a linear target, through a column far from 0, missing values, and columns that say nothing', async () => {
    const fitted = await ridge.fit({ table, target }, { settings: { alpha: 1e-6 } });
    const answers = await fitted.predict(table);
    const worst = Math.max(...answers.map((answer, row) => Math.abs(answer - target[row]!)));
    expect(worst).toBeLessThan(1e-4);
  });

  it('answers as onnxruntime does, with categories that it never saw, too', async () => {
    const fitted = await ridge.fit({ table, target }, { names: { input: 'in', output: 'out' } });
    expect((await checkParity(fitted, table)).maxAbs).toBeLessThan(1e-4);
    const others = {
      ...table,
      columns: table.columns.map((column) => ({ ...column, values: column.values.map((v) => v + 3) })),
    };
    await checkParity(fitted, others);
  });

  it('is proved harmless and to keep rows apart', async () => {
    const result = readHeadOfBytes((await ridge.fit({ table, target })).onnx());
    if (!result.ok) throw new Error('the export cannot be read');
    expect(unprovedOperators(result.head)).toEqual([]);
    expect(rowsIndependent(result.head).independent).toBe(true);
  });

  it.each([
    ['numbers alone', tableOf(table.columns[0]!)],
    ['categories alone', tableOf(table.columns[3]!)],
  ])('exports a table of %s', async (_, part) => {
    await checkParity(await ridge.fit({ table: part, target }), part);
  });

  it('a heavier penalty pulls answers to the mean', async () => {
    const spread = async (alpha: number): Promise<number> => {
      const answers = await (await ridge.fit({ table, target }, { settings: { alpha } })).predict(table);
      return Math.max(...answers) - Math.min(...answers);
    };
    expect(await spread(1e5)).toBeLessThan(0.1 * (await spread(1)));
  });

  it('weights count rows: a row of weight 2 is a row that is there twice', async () => {
    const x = tableOf(numeric('x', [0, 1, 2, 3]));
    const y = Float64Array.from([0, 3, 1, 2]);
    const weighted = await ridge.fit({ table: x, target: y, weights: Float64Array.from([1, 2, 1, 1]) });
    const twice = await ridge.fit({ table: x, target: y, rows: Uint32Array.from([0, 1, 1, 2, 3]) });
    const [one, two] = [await weighted.predict(x), await twice.predict(x)];
    for (const [row, answer] of one.entries()) expect(answer).toBeCloseTo(two[row]!, 5);
  });

  it('one row, and a constant target: answers the target', async () => {
    const one = { table: tableOf(numeric('x', [4])), target: Float64Array.from([9]) };
    expect([...(await (await ridge.fit(one)).predict(one.table))]).toEqual([9]);
    const constant = await ridge.fit({ table, target: new Float64Array(500).fill(2.5) });
    expect([...(await constant.predict(table))].every((answer) => Math.abs(answer - 2.5) < 1e-6)).toBe(true);
  });

  it('an infinite number and an objective that it does not have are told', async () => {
    const endless = tableOf(numeric('x', [1, Number.POSITIVE_INFINITY]));
    await expect(ridge.fit({ table: endless, target: new Float64Array(2) })).rejects.toThrow(
      'Row 1 of the table has an infinite',
    );
    const wrong = ridge.fit({ table, target }, { settings: { objective: 'poisson' } });
    await expect(wrong).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

describe('solveCholesky', () => {
  it('solves a system', () => {
    const right = Float64Array.from([8, 5]);
    expect(solveCholesky(Float64Array.from([4, 2, 2, 3]), right)).toBe(true);
    expect(right[0]).toBeCloseTo(1.75, 12);
    expect(right[1]).toBeCloseTo(0.5, 12);
  });

  it('says where there is no one solution', () => {
    expect(solveCholesky(Float64Array.from([1, 1, 1, 1]), new Float64Array(2))).toBe(false);
  });
});
