import type { Column, TrainingSet } from '../../table.ts';

/**
 * How a row of the table becomes a row of the design matrix: numbers are centred and scaled, a missing one becomes the mean, which is 0
 * then; each known category has an element of its own, and an unknown or missing one has none.
 */
export interface Design {
  numbers: { column: number; mean: number; scale: number }[];
  categories: { column: number; code: number }[];
}

/** More categories of a column than these are left out, the rarest first. */
const MAX_CATEGORIES = 255;

export function designOf(set: TrainingSet): Design {
  const design: Design = { numbers: [], categories: [] };
  for (const [at, column] of set.table.columns.entries()) {
    if (column.kind === 'numeric') design.numbers.push({ column: at, ...spread(column, set) });
    else for (const code of frequentCodes(column, set)) design.categories.push({ column: at, code });
  }
  return design;
}

export function widthOf({ numbers, categories }: Design): number {
  return numbers.length + categories.length;
}

/** Weighted mean and inverse deviation of what is there; both as 32-bit floats, as the exported model has them. */
function spread({ values }: Column, set: TrainingSet): { mean: number; scale: number } {
  let [sum, total] = [0, 0];
  eachRow(set, (row, weight) => {
    const value = Math.fround(values[row]!);
    if (!Number.isFinite(value)) return;
    sum += weight * value;
    total += weight;
  });
  const mean = Math.fround(total > 0 ? sum / total : 0);
  let squares = 0;
  eachRow(set, (row, weight) => {
    const value = Math.fround(values[row]!);
    if (Number.isFinite(value)) squares += weight * (value - mean) ** 2;
  });
  const deviation = total > 0 ? Math.sqrt(squares / total) : 0;
  const scale = Math.fround(1 / deviation);
  // A column that does not vary, or too little for 32 bits, says nothing.
  return { mean, scale: Number.isFinite(scale) && deviation > Math.abs(mean) * 2 ** -22 ? scale : 0 };
}

function frequentCodes({ values }: Column, set: TrainingSet): number[] {
  const counts = new Map<number, number>();
  eachRow(set, (row) => {
    const code = values[row]!;
    if (!Number.isNaN(code)) counts.set(code, (counts.get(code) ?? 0) + 1);
  });
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return sorted
    .slice(0, MAX_CATEGORIES)
    .map(([code]) => code)
    .sort((a, b) => a - b);
}

/** Calls with each row that takes part, and its weight. */
export function eachRow({ table, rows, weights }: TrainingSet, visit: (row: number, weight: number) => void): void {
  const count = rows?.length ?? table.rows;
  for (let at = 0; at < count; at += 1) {
    const row = rows ? rows[at]! : at;
    visit(row, weights ? weights[row]! : 1);
  }
}

/** Writes one row of the design matrix. */
export function fillRow(
  { numbers, categories }: Design,
  columns: readonly Column[],
  row: number,
  into: Float64Array,
): void {
  let at = 0;
  for (const { column, mean, scale } of numbers) {
    const value = Math.fround(columns[column]!.values[row]!);
    into[at++] = Number.isNaN(value) ? 0 : Math.fround(Math.fround(value - mean) * scale);
  }
  for (const { column, code } of categories) into[at++] = Number(columns[column]!.values[row] === code);
}
