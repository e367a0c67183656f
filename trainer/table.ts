import { KedgeError } from '../contract/errors.ts';

/**
 * One column. NaN is a missing value. A categorical column holds codes, whole numbers from 0 to below 2^24, which 32-bit floats
 * hold exactly; `categories` names them where they have names.
 */
export interface Column {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
  readonly values: Float32Array | Float64Array;
  readonly categories?: readonly string[];
}

/**
 * A table by columns. Models take 32-bit floats, so a fitter sees each value rounded to one, however it is stored: what it learns
 * is then what the exported model answers.
 */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** A table with what is to be learned from it. All arrays are as long as the table has rows. */
export interface TrainingSet {
  readonly table: Table;
  readonly target: Float64Array;
  /** How much each row counts; not negative. All the same if absent. */
  readonly weights?: Float64Array | undefined;
  /** Seconds since the epoch. */
  readonly times?: Float64Array | undefined;
  /** The rows that take part, by their index in the table, so that parts share one table. All rows if absent. */
  readonly rows?: Uint32Array | undefined;
}

/** How many rows take part. */
export function rowCount({ table, rows }: Pick<TrainingSet, 'table' | 'rows'>): number {
  return rows?.length ?? table.rows;
}

/** The indices of the rows that take part. */
export function rowsOf({ table, rows }: Pick<TrainingSet, 'table' | 'rows'>): Uint32Array {
  return rows ?? Uint32Array.from({ length: table.rows }, (_, row) => row);
}

/** The same table, target, weights and times, of which only `rows` take part. Nothing is copied. */
export function withRows(set: TrainingSet, rows: Uint32Array): TrainingSet {
  return { ...set, rows };
}

/** The elements at `rows`, in that order; all of them, and no copy, if absent. */
export function pick(values: Float64Array, rows: Uint32Array | undefined): Float64Array {
  if (!rows) return values;
  const picked = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at += 1) picked[at] = values[rows[at]!]!;
  return picked;
}

/**
 * The rows of a table as a model takes them: row-major, 32-bit floats.
 * @returns as many elements as there are rows times columns
 */
export function rowMajor({ rows: count, columns }: Table, rows?: Uint32Array): Float32Array {
  const height = rows?.length ?? count;
  const width = columns.length;
  const data = new Float32Array(height * width);
  for (const [column, { values }] of columns.entries()) {
    for (let at = 0; at < height; at += 1) data[at * width + column] = values[rows ? rows[at]! : at]!;
  }
  return data;
}

/** @throws KedgeError `data-invalid` for a set that nothing can be learned from, with a sentence that says why */
export function checkTrainingSet(set: TrainingSet, what = 'training set'): void {
  const { table, target, weights, times, rows } = set;
  const wrong = (problem: string): KedgeError => new KedgeError('data-invalid', `The ${what} ${problem}.`);
  if (table.columns.length === 0) throw wrong('has no columns besides the target');
  if (rowCount(set) === 0) throw wrong('has no rows');
  const twice = table.columns.find(({ name }, at) => table.columns.findIndex((other) => other.name === name) < at);
  if (twice) throw wrong(`has two columns named '${twice.name}'`);
  const lengths = { target, weights, times, ...Object.fromEntries(table.columns.map((c) => [c.name, c.values])) };
  for (const [name, values] of Object.entries(lengths)) {
    if (values && values.length !== table.rows) {
      throw wrong(`has ${table.rows} rows, and ${values.length} values of '${name}'`);
    }
  }
  let total = 0;
  for (let at = 0; at < rowCount(set); at += 1) {
    const row = rows ? rows[at]! : at;
    if (row >= table.rows) throw wrong(`has ${table.rows} rows, and is asked for row ${row}`);
    if (!Number.isFinite(target[row])) throw wrong(`has a target that is no finite number in row ${row}`);
    const weight = weights ? weights[row]! : 1;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) throw wrong(`has the weight ${weight} in row ${row}`);
    total += weight;
  }
  if (total === 0) throw wrong('has no row whose weight is above 0');
}
