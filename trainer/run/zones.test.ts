import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ridge } from '../fit/ridge/ridge.ts';
import type { TrainingSource } from '../history/source.ts';
import { taskOf } from '../queue/testing/runs.ts';
import type { TrainingSet } from '../table.ts';
import { readTable, writeTable } from './table-file.ts';
import { estimator } from './testing/line.ts';
import { modelNames, zonesTrainable } from './zones.ts';

const HOUR = 3600;

describe('tables on their way to a fit', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-table-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  /** Two weeks' rhythm: the hour of the week says all. */
  const setOf = (rows: number): TrainingSet => ({
    table: {
      rows,
      columns: [{ name: 'x', kind: 'numeric', values: Float32Array.from({ length: rows }, (_, row) => row % 24) }],
    },
    target: Float64Array.from({ length: rows }, (_, row) => 5 + (row % 24)),
    times: Float64Array.from({ length: rows }, (_, row) => row * HOUR),
  });

  it('come out as they went in', async () => {
    const path = join(folder, 'table.bin');
    const set: TrainingSet = {
      table: {
        rows: 3,
        columns: [
          { name: 'größe', kind: 'numeric', values: Float64Array.of(1.1, Number.NaN, -0) },
          { name: 'day', kind: 'categorical', values: Float32Array.of(0, 1, 2), categories: ['a', 'b', 'c'] },
        ],
      },
      target: Float64Array.of(1, 2, 3.3),
      times: Float64Array.of(0, 3600, 7200),
    };
    await writeTable(path, set, ['One note.']);
    const read = await readTable(path);
    expect(read).toMatchObject({ target: set.target, times: set.times, notes: ['One note.'] });
    // As models see it.
    expect(read.table.columns[0]!.values).toEqual(Float32Array.of(1.1, Number.NaN, -0));
    expect(read.table.columns[1]).toEqual(set.table.columns[1]);
    const { times: _, ...timeless } = set;
    await writeTable(path, timeless);
    expect((await readTable(path)).times).toBeUndefined();
  });

  it('are held once by the process that fits', async () => {
    const path = join(folder, 'table.bin');
    const [rows, columns] = [2 ** 20, 14];
    const head = {
      ...{ rows, times: true, notes: [] },
      // Longer than one reading of the head.
      columns: Array.from({ length: columns }, (_, at) => ({ name: `${at} ${'x'.repeat(10_000)}`, kind: 'numeric' })),
    };
    const text = `${JSON.stringify(head)}\n`;
    const bytes = rows * (columns * 4 + 16);
    await writeFile(path, text);
    // Zeros, which the file system need not keep.
    await truncate(path, Buffer.byteLength(text) + bytes);
    const code = `
      const { readTable } = await import(${JSON.stringify(new URL('./table-file.ts', import.meta.url).href)});
      const before = process.resourceUsage().maxRSS;
      const { table, times } = await readTable(${JSON.stringify(path)});
      const more = (process.resourceUsage().maxRSS - before) * 1024;
      console.log(JSON.stringify({ more, rows: times.length, columns: table.columns.length }));`;
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
    const found = JSON.parse(out);
    expect(found).toMatchObject({ rows, columns });
    expect(found.more / bytes).toBeLessThan(1.4);
  });

  it('that were not written whole are refused', async () => {
    const path = join(folder, 'table.bin');
    await writeTable(path, setOf(10));
    await truncate(path, 100);
    await expect(readTable(path)).rejects.toMatchObject({ code: 'data-invalid' });
  });

  const source = { estimator } as unknown as TrainingSource;
  const trainable = zonesTrainable(source, { objective: 'poisson', heldOut: 7 * 24, gap: 24 });
  const fitted = (settings: Record<string, unknown> = {}) =>
    trainable.fit(taskOf('line-a', { settings }), folder, { onProgress: () => undefined });

  it('are fitted without the newest rows, by which the model is judged', async () => {
    const rows = 4 * 7 * 24;
    await writeTable(join(folder, 'table.bin'), setOf(rows));
    const { heldOut, details, report, input } = await fitted();
    expect(heldOut.rows).toBe(7 * 24);
    expect(heldOut.target).toEqual(setOf(rows).target.slice(-7 * 24));
    // The same hour a week before says it exactly.
    expect(heldOut.naive).toEqual(heldOut.target);
    expect(report['rows']).toBe(rows - 7 * 24 - 24);
    expect(details.training).toMatchObject({ rows: rows - 8 * 24, days: ['1970-01-01', '1970-01-20'] });
    expect(details.samples![0]!.inputs[input]!.shape).toEqual([8, 1]);
    expect(Math.abs(heldOut.fitted[0]! - heldOut.target[0]!)).toBeLessThan(1);
  });

  it("give the gate a command's own answers, and not those of its export", async () => {
    const rows = 4 * 7 * 24;
    const set = setOf(rows);
    await writeTable(join(folder, 'table.bin'), set);
    const ready = await ridge.fit(set);
    await writeFile(join(folder, 'ready.onnx'), ready.onnx());
    const own = [...(await ready.predict(set.table))].map((answer) => answer + 1e-5).slice(-7 * 24);
    await writeFile(join(folder, 'own.csv'), `prediction\n${own.join('\n')}\n`);
    const program = join(folder, 'fit.mjs');
    await writeFile(
      program,
      `import { copyFileSync } from 'node:fs';
      const to = process.argv.at(-1) + '/output/';
      copyFileSync(${JSON.stringify(join(folder, 'ready.onnx'))}, to + 'model.onnx');
      copyFileSync(${JSON.stringify(join(folder, 'own.csv'))}, to + 'predictions.csv');`,
    );
    const command = { fitter: 'command', command: [process.execPath, program] };
    expect([...(await fitted(command)).heldOut.fitted]).toEqual(own);
  });

  it('that are too short are refused with a sentence', async () => {
    await writeTable(join(folder, 'table.bin'), setOf(100));
    await expect(fitted()).rejects.toMatchObject({ code: 'data-invalid', message: /100 rows are too few/ });
  });

  it('that are missing, or fitters that are, are told', async () => {
    await writeFile(join(folder, 'table.bin'), '');
    await expect(fitted()).rejects.toThrow();
    await writeTable(join(folder, 'table.bin'), setOf(600));
    await expect(fitted({ fitter: 'magic' })).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

describe('names of models', () => {
  it('are those of zones, as clients can write them', () => {
    const zones = ['centre', 'Zone 7', 'Übersee/Ost'];
    expect([...modelNames('demand', zones)]).toEqual([
      ['demand-centre', 'centre'],
      ['demand-zone-7', 'Zone 7'],
      ['demand-ubersee-ost', 'Übersee/Ost'],
    ]);
  });

  it('are no two zones of', () =>
    expect(() => modelNames('demand', ['Zone 7', 'zone-7'])).toThrow(/'Zone 7' and 'zone-7' would both/));
});
