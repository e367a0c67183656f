import { describe, expect, it } from 'vitest';
import { unprovedOperators } from '../../../contract/onnx/harmless.ts';
import { readHeadOfBytes } from '../../../contract/onnx/head.ts';
import { rowsIndependent } from '../../../contract/onnx/rows.ts';
import { openSession } from '../../../engine/session.ts';
import { rowMajor, type TrainingSet } from '../../table.ts';
import type { Objective } from '../fitter.ts';
import { openOnnx } from '../onnx-model.ts';
import { checkParity } from '../parity.ts';
import { ridge } from '../ridge/ridge.ts';
import { mixedTable, mixedTarget, numeric, tableOf } from '../testing/tables.ts';
import { gbdt } from './gbdt.ts';

const OBJECTIVES: Objective[] = ['squared-error', 'poisson', 'logistic'];

function setOf(objective: Objective, rows = 4000, seed = 1): TrainingSet {
  const mixed = mixedTable(rows, seed);
  const target = mixedTarget(mixed);
  if (objective === 'poisson') return { table: mixed.table, target: target.map((y) => Math.round(Math.exp(y / 2))) };
  if (objective === 'logistic') return { table: mixed.table, target: target.map((y) => Number(y > 1)) };
  return { table: mixed.table, target };
}

describe.each(OBJECTIVES)('a model of %s', (objective) => {
  it('answers as onnxruntime does with its export, on rows that it was fitted on and on others', async () => {
    const set = setOf(objective);
    const fitted = await gbdt.fit(set, { settings: { objective, trees: 120 }, seed: 3 });
    expect((await checkParity(fitted, set.table)).rows).toBe(4000);
    // Other values, categories that were never seen, codes between codes.
    const { table } = mixedTable(3000, 77);
    const shifted = table.columns.map((column) => ({
      ...column,
      values: column.values.map((value, row) =>
        row % 5 === 0 ? value + (column.kind === 'numeric' ? 0.25 : 300.5) : value,
      ),
    }));
    await checkParity(fitted, { ...table, columns: shifted });
  });

  it('is proved harmless and to keep rows apart, so that it is served inline and merged', async () => {
    const fitted = await gbdt.fit(setOf(objective, 1000), { settings: { objective, trees: 10 } });
    const result = readHeadOfBytes(fitted.onnx());
    if (!result.ok) throw new Error('the export cannot be read');
    expect(unprovedOperators(result.head)).toEqual([]);
    expect(rowsIndependent(result.head).independent).toBe(true);
  });

  it('learns its target: the error on other rows is far below that of the mean', async () => {
    const set = setOf(objective, 6000);
    const half = (from: number): Uint32Array => Uint32Array.from({ length: 3000 }, (_, at) => from + at);
    const fitted = await gbdt.fit({ ...set, rows: half(0) }, { settings: { objective } });
    const held = half(3000);
    const answers = await fitted.predict(set.table, held);
    const mean = set.target.reduce((sum, y) => sum + y, 0) / set.target.length;
    const error = (of: (at: number) => number): number =>
      held.reduce((sum, row, at) => sum + (set.target[row]! - of(at)) ** 2, 0);
    expect(error((at) => answers[at]!)).toBeLessThan(0.6 * error(() => mean));
  });
});

it('a classifier labels a row with the likelier class, and its probabilities add up to 1', async () => {
  const set = setOf('logistic', 500);
  const fitted = await gbdt.fit(set, { settings: { objective: 'logistic', trees: 20 } });
  const model = await openSession({
    name: 'classifier',
    dir: '/nowhere',
    model: fitted.onnx(),
    signature: (await openOnnx(fitted.onnx(), fitted.names, 10)).signature,
  });
  const data = rowMajor(set.table);
  const outputs = await model.run(new Map([['features', { datatype: 'FP32', shape: [500, 10], data }]]), [
    'label',
    'prediction',
  ]);
  const labels = outputs.get('label')!.data as BigInt64Array;
  const probabilities = outputs.get('prediction')!.data as Float32Array;
  expect(new Set(labels)).toEqual(new Set([0n, 1n]));
  for (const [row, label] of labels.entries()) {
    const [no, yes] = [probabilities[2 * row]!, probabilities[2 * row + 1]!];
    expect(no + yes).toBeCloseTo(1, 6);
    expect(label).toBe(BigInt(yes > no));
  }
});

it('the edge between neighbouring 32-bit floats parts them in the export too', async () => {
  const values = Array.from({ length: 200 }, (_, row) => (row % 2 === 0 ? 1 : 1 + 2 ** -23));
  const table = tableOf(numeric('x', values));
  const fitted = await gbdt.fit({ table, target: Float64Array.from(values, (x) => Number(x > 1)) });
  const [low, high] = await fitted.predict(table);
  expect(high! - low!).toBeGreaterThan(0.99);
  await checkParity(fitted, table);
});

it('values that are stored as 64-bit floats are learned from as the 32-bit floats that a model takes', async () => {
  const values = Float64Array.from({ length: 400 }, (_, row) => 1 + (row % 2) * 1e-12 + Math.floor(row / 200));
  const table = { rows: 400, columns: [{ name: 'x', kind: 'numeric', values } as const] };
  const target = Float64Array.from({ length: 400 }, (_, row) => row % 2);
  const fitted = await gbdt.fit({ table, target });
  expect(new Set(await fitted.predict(table)).size).toBe(1);
  await checkParity(fitted, table);
});

it.each([1e-7, 1e7])('a target of the order of %d, which goes through 0, is held to it', async (scale) => {
  const set = setOf('squared-error', 2000);
  const scaled = { ...set, target: set.target.map((y) => (y - 2) * scale) };
  for (const fitter of [gbdt, ridge]) {
    const table =
      fitter === gbdt
        ? set.table
        : { ...set.table, columns: set.table.columns.filter(({ name }) => name !== 'endless') };
    const fitted = await fitter.fit({ ...scaled, table });
    await checkParity(fitted, table);
    const off = { ...fitted, predict: async () => (await fitted.predict(table)).map((answer) => answer + scale / 100) };
    await expect(checkParity(off, table)).rejects.toThrow(/not the model that was fitted/);
  }
});

it('an export of other bytes than the model is told', async () => {
  const set = setOf('poisson', 500);
  const options = { settings: { objective: 'poisson' } };
  const [fitted, other] = [
    await gbdt.fit(set, options),
    await gbdt.fit(set, { settings: { objective: 'squared-error' } }),
  ];
  await expect(checkParity({ ...fitted, onnx: other.onnx }, set.table)).rejects.toThrow(
    /The exported model answers .* for row \d+ of the table, and the fitter/,
  );
});
