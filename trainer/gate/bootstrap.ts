import { seededRandom } from '../fit/random.ts';

export interface BootstrapOptions {
  /** How many times the rows are drawn anew. */
  resamples: number;
  /** Rows that are drawn together: what follows in time is alike, and drawn one by one would look surer than it is. */
  block: number;
  /** One-sided, from 0 to 1: the mean lies above the bound with this confidence. */
  confidence: number;
  seed: number;
}

/**
 * Lower bound of the mean of paired differences by the circular block bootstrap (D. Politis and J. Romano, "A circular
 * block-resampling procedure for stationary data", 1992); with blocks of one row it is the plain bootstrap (Efron 1979). The bound is the
 * quantile of the resampled means (percentile method).
 * @param differences in order of time; at least one
 */
export function lowerBound(
  differences: Float64Array,
  { resamples, block, confidence, seed }: BootstrapOptions,
): number {
  const rows = differences.length;
  const length = Math.max(1, Math.min(block, rows));
  const random = seededRandom(seed);
  // sums[i] is that of the block that begins at i and goes round the end.
  const sums = new Float64Array(rows);
  for (let at = 0; at < length; at += 1) sums[0]! += differences[at]!;
  for (let at = 1; at < rows; at += 1) {
    sums[at] = sums[at - 1]! - differences[at - 1]! + differences[(at + length - 1) % rows]!;
  }
  const blocks = Math.ceil(rows / length);
  const means = new Float64Array(resamples);
  for (let draw = 0; draw < resamples; draw += 1) {
    let sum = 0;
    for (let drawn = 0; drawn < blocks; drawn += 1) sum += sums[Math.floor(random() * rows)]!;
    means[draw] = sum / (blocks * length);
  }
  means.sort();
  return means[Math.min(resamples - 1, Math.floor((1 - confidence) * resamples))]!;
}
