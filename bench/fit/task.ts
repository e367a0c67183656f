import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '../../trainer/csv.ts';
import { timeSplits } from '../../trainer/evaluate/splits.ts';
import type { Objective } from '../../trainer/fit/fitter.ts';
import { type Random, seededRandom } from '../../trainer/fit/random.ts';

/** What is to be fitted, in files that every side reads: task.json, features.f32 by columns, target.f64. */
export interface Task {
  rows: number;
  columns: readonly string[];
  objective: Objective;
  /** Of our fitter and of LightGBM; defaults if absent. */
  trees?: number;
  /** Rows: train start, train end, test start, test end. */
  splits: readonly (readonly [number, number, number, number])[];
}

/** What a side came to on each split. */
export interface Fitted {
  splits: { mae: number; rmse: number; cpuSeconds: number; seconds: number }[];
  /** Resident memory that fitting took beyond the table that it was given; ours alone. */
  peakBytes?: number | undefined;
}

function writeTask(dir: string, task: Task, columns: readonly Float32Array[], target: Float64Array): void {
  writeFileSync(join(dir, 'task.json'), JSON.stringify(task));
  for (const [at, values] of columns.entries())
    writeFileSync(join(dir, 'features.f32'), values, { flag: at === 0 ? 'w' : 'a' });
  writeFileSync(join(dir, 'target.f64'), target);
}

/** Read into place, so that no copies stand in memory beside it. */
export function readTask(dir: string): { task: Task; columns: Float32Array[]; target: Float64Array } {
  const task = JSON.parse(readFileSync(join(dir, 'task.json'), 'utf8')) as Task;
  const features = openSync(join(dir, 'features.f32'), 'r');
  const columns = task.columns.map(() => new Float32Array(task.rows));
  for (const values of columns) readSync(features, values);
  closeSync(features);
  const target = new Float64Array(task.rows);
  const file = openSync(join(dir, 'target.f64'), 'r');
  readSync(file, target);
  closeSync(file);
  return { task, columns, target };
}

const BIKE_FEATURES = [
  'season',
  'yr',
  'mnth',
  'hr',
  'holiday',
  'weekday',
  'workingday',
  'weathersit',
  'temp',
  'atemp',
  'hum',
  'windspeed',
];

/** Hours of a bicycle hire (Fanaee-T and Gama 2013, UCI), the part of the largest hour; cut as TimeSeriesSplit does. */
export async function writeBike(dir: string, csv: string): Promise<void> {
  const { table, target } = await readCsv(csv, {
    target: 'cnt',
    ignore: ['instant', 'dteday', 'casual', 'registered'],
  });
  const most = Math.max(...target);
  const cut = timeSplits(table.rows, { splits: 5, gap: 48, maxTrain: 10_000, testSize: 1000 });
  const splits = cut.map(({ train, test }) => [...train, ...test] as [number, number, number, number]);
  const columns = BIKE_FEATURES.map((name) => {
    const column = table.columns.find((other) => other.name === name);
    if (!column) throw new Error(`${csv} has no column '${name}'`);
    return Float32Array.from(column.values);
  });
  writeTask(
    dir,
    { rows: table.rows, columns: BIKE_FEATURES, objective: 'poisson', splits },
    columns,
    target.map((y) => y / most),
  );
}

const TEST_ROWS = 100_000;

/** A million rows of 20 numbers, six of which matter, and as many more as the test takes. Seeded. */
export function writeLarge(dir: string, rows: number): void {
  const random = seededRandom(1);
  const total = rows + TEST_ROWS;
  const columns = Array.from({ length: 20 }, (_, at) => Float32Array.from({ length: total }, drawnBy(at, random)));
  const [a, b, c, d, e, f] = columns as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const target = Float64Array.from({ length: total }, (_, row) => {
    const noise = random() + random() + random() - 1.5;
    return (
      Math.sin(6 * a[row]!) + 2 * b[row]! * c[row]! + Math.log1p(d[row]!) + (e[row]! > 0.5 ? f[row]! : 0) + 0.5 * noise
    );
  });
  const task: Task = {
    rows: total,
    columns: columns.map((_, at) => `x${at}`),
    objective: 'squared-error',
    trees: 100,
    splits: [[0, rows, rows, total]],
  };
  writeTask(dir, task, columns, target);
}

/** Even, skewed and whole numbers in turn. */
function drawnBy(column: number, random: Random): () => number {
  if (column % 4 === 3) return () => -Math.log(1 - random());
  if (column % 7 === 6) return () => Math.floor(random() * 24);
  return random;
}
