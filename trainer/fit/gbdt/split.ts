import type { Bins } from './bins.ts';
import { categoricalSplit } from './categorical-split.ts';
import type { Decoded } from './histogram.ts';

/** Sums over the rows of a node: first derivatives, second derivatives, rows. */
export interface Sums {
  gradient: number;
  hessian: number;
  count: number;
}

/** A split of a node. Rows whose bin is at most `bin`, or in `categories`, go left. */
export interface Split {
  /** By how much it lowers the loss, in the second-order approximation, times two. */
  gain: number;
  column: number;
  bin: number;
  /** The bins that go left; undefined for a column of numbers. */
  categories: Uint8Array | undefined;
  missingLeft: boolean;
  left: Sums;
  right: Sums;
}

export interface SplitRules {
  l2: number;
  minChildSamples: number;
  minChildWeight: number;
  minSplitGain: number;
  maxDeltaStep: number;
  maxOneHot: number;
  categorySmoothing: number;
  categoryL2: number;
  maxCategories: number;
  minCategorySamples: number;
}

/** Between which the values of a node's leaves must lie, so that constraints higher up hold. */
export interface Bounds {
  low: number;
  high: number;
}

/** The step of a leaf before the learning rate: Newton's, within bounds. */
export function leafValue({ gradient, hessian }: Sums, rules: SplitRules, { low, high }: Bounds): number {
  const step = -gradient / (hessian + rules.l2);
  if (!Number.isFinite(step)) return 0;
  const most = rules.maxDeltaStep;
  return Math.min(high, Math.max(low, Math.min(most, Math.max(-most, step))));
}

/** What a leaf lowers the loss by, times two. */
function scoreOf(gradient: number, hessian: number, l2: number): number {
  return (gradient * gradient) / (hessian + l2);
}

/** The same for a leaf that does not take Newton's step. */
function scoreAt(value: number, { gradient, hessian }: Sums, l2: number): number {
  return -(2 * gradient * value + (hessian + l2) * value * value);
}

export interface SplitSearch {
  column: number;
  bins: Bins;
  decoded: Decoded;
  node: Sums;
  bounds: Bounds;
  /** -1, 0 or 1. */
  monotone: number;
  rules: SplitRules;
}

/** The best split of a node by one column, if it is better than `least`; undefined if none is. */
export function bestSplit(search: SplitSearch, least: number): Split | undefined {
  if (search.bins.kind === 'categorical') return categoricalSplit(search, least);
  const { decoded, bins } = search;
  const missing = decoded.counts[bins.missing]!;
  const right = numericSplit(search, least, false);
  const left = missing > 0 ? numericSplit(search, right?.gain ?? least, true) : undefined;
  return left ?? right;
}

/** Scans the thresholds of a column with the missing values on one side. */
function numericSplit(search: SplitSearch, least: number, missingLeft: boolean): Split | undefined {
  const { decoded, bins, node, rules, monotone, bounds, column } = search;
  const { gradients, hessians, counts } = decoded;
  const { l2, minChildSamples, minChildWeight } = rules;
  const bounded = monotone !== 0 || bounds.low > Number.NEGATIVE_INFINITY || bounds.high < Number.POSITIVE_INFINITY;
  const missing = counts[bins.missing]!;
  // With missing values on the right, even a left side that holds all others is a split.
  const last = missing > 0 && !missingLeft ? bins.values : bins.values - 1;
  const parent = bounded ? scoreAt(leafValue(node, rules, bounds), node, l2) : scoreOf(node.gradient, node.hessian, l2);
  const needed = Math.max(least, rules.minSplitGain) + parent;
  let best = needed;
  let bestBin = -1;
  let [bestGradient, bestHessian, bestCount] = [0, 0, 0];
  let gradient = missingLeft ? gradients[bins.missing]! : 0;
  let hessian = missingLeft ? hessians[bins.missing]! : 0;
  let count = missingLeft ? missing : 0;
  for (let bin = 0; bin < last; bin += 1) {
    if (counts[bin] === 0) continue;
    gradient += gradients[bin]!;
    hessian += hessians[bin]!;
    count += counts[bin]!;
    if (count < minChildSamples || hessian < minChildWeight) continue;
    const otherHessian = node.hessian - hessian;
    if (node.count - count < minChildSamples || otherHessian < minChildWeight) break;
    const otherGradient = node.gradient - gradient;
    const score = bounded
      ? boundedScore(gradient, hessian, count, search)
      : (gradient * gradient) / (hessian + l2) + (otherGradient * otherGradient) / (otherHessian + l2);
    if (score > best) {
      [best, bestBin] = [score, bin];
      [bestGradient, bestHessian, bestCount] = [gradient, hessian, count];
    }
  }
  if (bestBin < 0) return undefined;
  const left = { gradient: bestGradient, hessian: bestHessian, count: bestCount };
  const right = rest(node, left);
  return {
    gain: best - parent,
    column,
    bin: bestBin,
    categories: undefined,
    // Where none was missing, a missing value later goes the way of most.
    missingLeft: missing > 0 ? missingLeft : left.count >= right.count,
    left,
    right,
  };
}

/** Minus infinity where the children would break the constraint. */
function boundedScore(gradient: number, hessian: number, count: number, search: SplitSearch): number {
  const { node, rules, bounds, monotone } = search;
  const left = { gradient, hessian, count };
  const right = rest(node, left);
  const below = leafValue(left, rules, bounds);
  const above = leafValue(right, rules, bounds);
  if (monotone * (above - below) < 0) return Number.NEGATIVE_INFINITY;
  return scoreAt(below, left, rules.l2) + scoreAt(above, right, rules.l2);
}

export function rest(node: Sums, part: Sums): Sums {
  return {
    gradient: node.gradient - part.gradient,
    hessian: node.hessian - part.hessian,
    count: node.count - part.count,
  };
}

/**
 * The bounds of both children: after a split by a constrained column, the leaves on either side stay on their side of the middle
 * between the children, however they are split further.
 */
export function childBounds(split: Split, monotone: number, bounds: Bounds, rules: SplitRules): [Bounds, Bounds] {
  if (monotone === 0) return [bounds, bounds];
  const middle = (leafValue(split.left, rules, bounds) + leafValue(split.right, rules, bounds)) / 2;
  const lower = { low: bounds.low, high: middle };
  const upper = { low: middle, high: bounds.high };
  return monotone > 0 ? [lower, upper] : [upper, lower];
}
