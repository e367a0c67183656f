import { type Column, rowsOf, type TrainingSet } from '../table.ts';

/**
 * How the values of a feature were spread when the model was trained, for the manifest's `baseline.features`: what a server compares the values of requests with.
 * Bin i holds edges[i] <= x < edges[i + 1], the last one its upper edge too.
 */
interface NumericBaseline {
  /** The deciles, each once. */
  edges: number[];
  counts: number[];
  /** Values outside the edges: none of the training rows, but they have their place in a comparison. */
  underflow: number;
  overflow: number;
  missing: number;
}

interface CategoricalBaseline {
  /** Codes, as the model takes them. */
  categories: number[];
  counts: number[];
  /** Rows of categories that are not listed. */
  other: number;
  missing: number;
}

export type FeatureBaseline = NumericBaseline | CategoricalBaseline;

const DECILES = 10;
const MAX_CATEGORIES = 100;

export function baselineOf(set: TrainingSet): { features: Record<string, FeatureBaseline> } {
  const rows = rowsOf(set);
  const features = set.table.columns.map((column) => [
    column.name,
    column.kind === 'numeric' ? numericBaseline(column, rows) : categoricalBaseline(column, rows),
  ]);
  return { features: Object.fromEntries(features) };
}

function numericBaseline({ values }: Column, rows: Uint32Array): NumericBaseline {
  // As a model sees them: 32-bit floats.
  const there = Float32Array.from(rows, (row) => values[row]!)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const missing = rows.length - there.length;
  if (there.length === 0) return { edges: [], counts: [], underflow: 0, overflow: 0, missing };
  const deciles = Array.from(
    { length: DECILES + 1 },
    (_, at) => there[Math.round((at * (there.length - 1)) / DECILES)]!,
  );
  const distinct = deciles.filter((edge, at) => at === 0 || edge !== deciles[at - 1]);
  // A single value is a bin from itself to itself.
  const edges = distinct.length === 1 ? [distinct[0]!, distinct[0]!] : distinct;
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const value of there) {
    while (bin < counts.length - 1 && value >= edges[bin + 1]!) bin += 1;
    counts[bin]! += 1;
  }
  return { edges, counts, underflow: 0, overflow: 0, missing };
}

function categoricalBaseline({ values }: Column, rows: Uint32Array): CategoricalBaseline {
  const counts = new Map<number, number>();
  let missing = 0;
  for (const row of rows) {
    const code = values[row]!;
    if (Number.isNaN(code)) missing += 1;
    else counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const listed = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, MAX_CATEGORIES);
  listed.sort((a, b) => a[0] - b[0]);
  const within = listed.reduce((sum, [, count]) => sum + count, 0);
  return {
    categories: listed.map(([code]) => code),
    counts: listed.map(([, count]) => count),
    other: rows.length - missing - within,
    missing,
  };
}
