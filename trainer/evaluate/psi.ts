import type { Column } from '../table.ts';
import type { FeatureBaseline } from './baseline.ts';

/** What stands for a bin that is empty on one side, as Evidently has it: a logarithm of 0 would say that all else does not matter. */
const EMPTY = 1e-4;

/**
 * Population stability index of two histograms over the same bins: the sum of (q - p) ln(q / p) over the shares of each bin. 0 where they are alike; it is the same in both
 * directions. The bands in use: below 0.1 no change, above 0.25 a large one (Siddiqi, Credit Risk Scorecards, 2006). Sampling alone makes it about
 * (bins - 1)(1 / n + 1 / m).
 * @returns NaN where one of them holds nothing
 */
export function psi(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  const [n, m] = [sumOf(expected), sumOf(actual)];
  if (n === 0 || m === 0) return Number.NaN;
  let sum = 0;
  for (let bin = 0; bin < expected.length; bin += 1) {
    const p = Math.max(expected[bin]! / n, EMPTY);
    const q = Math.max(actual[bin]! / m, EMPTY);
    sum += (q - p) * Math.log(q / p);
  }
  return sum;
}

/** Those of a baseline: its bins, and those beside them. */
export function countsOf(baseline: FeatureBaseline): number[] {
  if ('edges' in baseline) return [baseline.underflow, ...baseline.counts, baseline.overflow, baseline.missing];
  return [...baseline.counts, baseline.other, baseline.missing];
}

/** In which of {@link countsOf} each row of a column lies. */
export function binsOf(baseline: FeatureBaseline, { values }: Pick<Column, 'values'>, rows: Uint32Array): Uint16Array {
  const binOf = 'edges' in baseline ? numericBin(baseline.edges) : categoricalBin(baseline.categories);
  const bins = new Uint16Array(rows.length);
  // As a model sees them, and as the edges were taken: 32-bit floats.
  for (let at = 0; at < rows.length; at += 1) bins[at] = binOf(Math.fround(values[rows[at]!]!));
  return bins;
}

/** What {@link countsOf} tells of a baseline, of rows that lie in these bins. */
export function countsAmong(baseline: FeatureBaseline, bins: Uint16Array): Float64Array {
  const counts = new Float64Array(countsOf(baseline).length);
  for (let at = 0; at < bins.length; at += 1) counts[bins[at]!]! += 1;
  return counts;
}

function numericBin(edges: readonly number[]): (value: number) => number {
  const last = edges.length - 1;
  const [overflow, missing] = [Math.max(edges.length, 1), Math.max(edges.length, 1) + 1];
  return (value) => {
    if (Number.isNaN(value)) return missing;
    if (last < 0 || value > edges[last]!) return overflow;
    if (value < edges[0]!) return 0;
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (value >= edges[middle]!) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

function categoricalBin(categories: readonly number[]): (value: number) => number {
  const bins = new Map(categories.map((code, at) => [code, at]));
  return (value) => (Number.isNaN(value) ? categories.length + 1 : (bins.get(value) ?? categories.length));
}

function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < counts.length; at += 1) sum += counts[at]!;
  return sum;
}
