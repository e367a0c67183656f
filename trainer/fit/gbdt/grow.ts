import type { Random } from '../random.ts';
import { sample } from '../random.ts';
import type { Binned } from './binned.ts';
import type { Bins } from './bins.ts';
import { addRows, decode, type HistogramLayout, layoutOf, newDecoded, subtract } from './histogram.ts';
import { type Bounds, bestSplit, childBounds, leafValue, type Split, type SplitRules, type Sums } from './split.ts';
import { leftBins, Tree } from './tree.ts';

export interface GrowSettings extends SplitRules {
  maxLeaves: number;
  maxDepth: number;
  learningRate: number;
  /** By column: -1, 0 or 1. */
  monotone: Int8Array;
  columnSubsample: number;
}

/** First and second derivatives of the loss, by row. */
export interface Gradients {
  first: Float32Array;
  /** Absent where the second derivative is 1 everywhere. */
  second: Float32Array | undefined;
  /** Above every sum of absolute values of the lane that counts: powers of two (see histogram.ts). */
  carrier: number;
}

/** A leaf that may be split further: rows[start] to rows[end - 1] of the grower. */
interface Leaf {
  node: number;
  start: number;
  end: number;
  depth: number;
  sums: Sums;
  bounds: Bounds;
  histogram: Float64Array | undefined;
  split: Split | undefined;
}

const FREE: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/**
 * Grows trees leaf by leaf, the leaf of the greatest gain first (as LightGBM: Ke et al., NIPS 2017). Of two children only the histogram of the
 * smaller one is made; the other is what is left of the parent's. Buffers are made once and serve all trees.
 */
export class Grower {
  readonly #binned: Binned;
  readonly #bins: readonly Bins[];
  readonly #settings: GrowSettings;
  readonly #layout: HistogramLayout;
  readonly #rows: Uint32Array;
  /** Lanes of the rows of one node, in their order; between histograms its bytes hold the right side of a partition. */
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  readonly #aside: Uint32Array;
  readonly #free: Float64Array[] = [];
  readonly #decoded = newDecoded();
  #columns: Int32Array;
  #leaves: Leaf[] = [];

  constructor(binned: Binned, bins: readonly Bins[], settings: GrowSettings, constantHessian: boolean) {
    this.#binned = binned;
    this.#bins = bins;
    this.#settings = settings;
    this.#layout = layoutOf(bins, constantHessian ? 1 : 2);
    this.#rows = new Uint32Array(binned.rows);
    this.#first = new Float64Array(binned.rows);
    this.#second = new Float64Array(constantHessian ? 0 : binned.rows);
    this.#aside = new Uint32Array(this.#first.buffer);
    this.#columns = Int32Array.from(bins, (_, column) => column);
  }

  /**
   * One tree. Its leaves are added to `scores` of the rows that it was grown from.
   * @param drawn how many of the rows take part; they are drawn by `random`
   */
  grow(gradients: Gradients, scores: Float32Array, drawn: number, random: Random): Tree {
    const { maxLeaves } = this.#settings;
    const tree = new Tree(maxLeaves);
    this.#start(gradients, drawn, random);
    while (this.#leaves.length < maxLeaves) {
      const leaf = this.#best();
      if (!leaf) break;
      this.#split(tree, leaf, gradients);
    }
    this.#finish(tree, scores);
    return tree;
  }

  #start(gradients: Gradients, drawn: number, random: Random): void {
    const { rows: total, columns } = this.#binned;
    if (drawn < total) sample(total, drawn, random, this.#rows);
    else for (let row = 0; row < total; row += 1) this.#rows[row] = row;
    const wanted = Math.max(1, Math.round(columns * this.#settings.columnSubsample));
    if (wanted < columns) {
      const picked = new Uint32Array(wanted);
      sample(columns, wanted, random, picked);
      this.#columns = Int32Array.from(picked);
    }
    const sums = this.#sumsOf(gradients, drawn);
    const root: Leaf = {
      node: 0,
      start: 0,
      end: drawn,
      depth: 0,
      sums,
      bounds: FREE,
      histogram: undefined,
      split: undefined,
    };
    this.#leaves = [root];
    if (!this.#maySplit(root)) return;
    root.histogram = this.#histogram(root, gradients);
    this.#search(root, gradients);
  }

  #sumsOf({ first, second }: Gradients, drawn: number): Sums {
    let [gradient, hessian] = [0, 0];
    for (let at = 0; at < drawn; at += 1) {
      const row = this.#rows[at]!;
      gradient += first[row]!;
      hessian += second ? second[row]! : 1;
    }
    return { gradient, hessian, count: drawn };
  }

  #maySplit({ sums, depth }: Leaf): boolean {
    const { maxDepth, minChildSamples } = this.#settings;
    return sums.count >= 2 * minChildSamples && (maxDepth === 0 || depth < maxDepth);
  }

  #best(): Leaf | undefined {
    let best: Leaf | undefined;
    for (const leaf of this.#leaves) {
      if (leaf.split && leaf.split.gain > (best?.split?.gain ?? 0)) best = leaf;
    }
    return best;
  }

  #split(tree: Tree, parent: Leaf, gradients: Gradients): void {
    const { monotone, maxLeaves } = this.#settings;
    const split = parent.split!;
    const ids = tree.split(parent.node, split);
    const middle = this.#partition(parent, split);
    const [lower, upper] = childBounds(split, monotone[split.column]!, parent.bounds, this.#settings);
    const depth = parent.depth + 1;
    const child = (node: number, start: number, end: number, sums: Sums, bounds: Bounds): Leaf => ({
      node,
      start,
      end,
      depth,
      sums: { ...sums, count: end - start },
      bounds,
      histogram: undefined,
      split: undefined,
    });
    const left = child(ids.left, parent.start, middle, split.left, lower);
    const right = child(ids.right, middle, parent.end, split.right, upper);
    this.#leaves[this.#leaves.indexOf(parent)] = left;
    this.#leaves.push(right);
    const last = this.#leaves.length === maxLeaves;
    if (last || !(this.#maySplit(left) || this.#maySplit(right))) {
      this.#free.push(parent.histogram!);
      return;
    }
    const [smaller, larger] = middle - parent.start <= parent.end - middle ? [left, right] : [right, left];
    smaller.histogram = this.#histogram(smaller, gradients);
    subtract(parent.histogram!, smaller.histogram);
    larger.histogram = parent.histogram;
    for (const leaf of [left, right]) this.#search(leaf, gradients);
  }

  /** Moves the rows that go left before those that go right, each in their order. @returns where the right ones begin */
  #partition({ start, end }: Leaf, split: Split): number {
    const goes = leftBins(split, this.#bins[split.column]!);
    return partition(this.#binned.data, split.column * this.#binned.rows, goes, this.#rows, start, end, this.#aside);
  }

  #histogram({ start, end }: Leaf, { first, second, carrier }: Gradients): Float64Array {
    const { lanes, bins } = this.#layout;
    const into = this.#free.pop()?.fill(0) ?? new Float64Array(bins * lanes);
    gather(first, this.#rows, start, end, lanes === 1 ? carrier : 0, this.#first);
    if (second) gather(second, this.#rows, start, end, carrier, this.#second);
    const source = {
      data: this.#binned.data,
      height: this.#binned.rows,
      layout: this.#layout,
      columns: this.#columns,
    };
    addRows(source, this.#rows, start, end, this.#first, this.#second, into);
    return into;
  }

  /** Finds the best split of a leaf; without one its histogram is not needed any more. */
  #search(leaf: Leaf, { carrier }: Gradients): void {
    const { monotone, minSplitGain } = this.#settings;
    if (this.#maySplit(leaf)) {
      for (const column of this.#columns) {
        const bins = this.#bins[column]!;
        decode(leaf.histogram!, this.#layout, this.#layout.offsets[column]!, bins.missing + 1, carrier, this.#decoded);
        const found = bestSplit(
          {
            column,
            bins,
            decoded: this.#decoded,
            node: leaf.sums,
            bounds: leaf.bounds,
            monotone: monotone[column]!,
            rules: this.#settings,
          },
          leaf.split?.gain ?? minSplitGain,
        );
        if (found) leaf.split = found;
      }
    }
    if (leaf.split) return;
    this.#free.push(leaf.histogram!);
    leaf.histogram = undefined;
  }

  #finish(tree: Tree, scores: Float32Array): void {
    const { learningRate } = this.#settings;
    for (const { node, start, end, sums, bounds, histogram } of this.#leaves) {
      tree.value[node] = leafValue(sums, this.#settings, bounds) * learningRate;
      addTo(scores, this.#rows, start, end, tree.value[node]!);
      if (histogram) this.#free.push(histogram);
    }
    this.#leaves = [];
  }
}

/** Written without branches on the data, which no processor could foretell. */
function partition(
  data: Uint8Array,
  base: number,
  goes: Uint8Array,
  rows: Uint32Array,
  start: number,
  end: number,
  aside: Uint32Array,
): number {
  let left = start;
  let right = 0;
  for (let at = start; at < end; at += 1) {
    const row = rows[at]!;
    const isLeft = goes[data[base + row]!]!;
    rows[left] = row;
    aside[right] = row;
    left += isLeft;
    right += 1 - isLeft;
  }
  for (let at = 0; at < right; at += 1) rows[left + at] = aside[at]!;
  return left;
}

function gather(
  values: Float32Array,
  rows: Uint32Array,
  start: number,
  end: number,
  carrier: number,
  into: Float64Array,
): void {
  for (let at = start; at < end; at += 1) into[at - start] = values[rows[at]!]! + carrier;
}

function addTo(scores: Float32Array, rows: Uint32Array, start: number, end: number, value: number): void {
  for (let at = start; at < end; at += 1) {
    const row = rows[at]!;
    scores[row] = scores[row]! + value;
  }
}
