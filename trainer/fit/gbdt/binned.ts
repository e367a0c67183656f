import { rowCount, type Table } from '../../table.ts';
import type { Random } from '../random.ts';
import { BinFinder, type Bins, fillBins } from './bins.ts';

/** A table of bins: one byte for each value, by columns. */
export interface Binned {
  rows: number;
  columns: number;
  /** The bin of row r in column c is data[c * rows + r]. */
  data: Uint8Array;
}

/** The bins of each column of a table. */
export function binsOf(set: { table: Table; rows?: Uint32Array | undefined }, maxBins: number, random: Random): Bins[] {
  const finder = new BinFinder(rowCount(set), { maxBins, random });
  return set.table.columns.map((column) => finder.find(column, set.rows));
}

/** The rows of a table in bins. */
export function binTable(set: { table: Table; rows?: Uint32Array | undefined }, bins: readonly Bins[]): Binned {
  const rows = rowCount(set);
  const data = new Uint8Array(rows * bins.length);
  for (const [at, column] of set.table.columns.entries()) fillBins(column, set.rows, bins[at]!, data, at * rows);
  return { rows, columns: bins.length, data };
}
