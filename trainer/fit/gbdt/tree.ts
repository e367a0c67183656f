import type { Binned } from './binned.ts';
import type { Bins } from './bins.ts';
import type { Split } from './split.ts';

/**
 * A tree in flat arrays. Node 0 is the root, and children come after their parent. A node whose `left` is 0 is a leaf.
 * Leaf values hold the learning rate already, and are 32-bit floats, as the exported model adds them up.
 */
export class Tree {
  nodes = 1;
  readonly column: Int32Array;
  readonly bin: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly missingLeft: Uint8Array;
  readonly value: Float32Array;
  readonly gain: Float64Array;
  /** Bins that go left, of nodes that split categories. */
  readonly categories: (Uint8Array | undefined)[] = [];

  constructor(maxLeaves: number) {
    const size = 2 * maxLeaves - 1;
    this.column = new Int32Array(size);
    this.bin = new Uint8Array(size);
    this.left = new Int32Array(size);
    this.right = new Int32Array(size);
    this.missingLeft = new Uint8Array(size);
    this.value = new Float32Array(size);
    this.gain = new Float64Array(size);
  }

  /** Turns a leaf into a branch. @returns its new leaves */
  split(node: number, { column, bin, categories, missingLeft, gain }: Split): { left: number; right: number } {
    const [left, right] = [this.nodes, this.nodes + 1];
    this.nodes += 2;
    this.column[node] = column;
    this.bin[node] = Math.max(0, bin);
    this.categories[node] = categories;
    this.missingLeft[node] = Number(missingLeft);
    this.gain[node] = gain;
    this.left[node] = left;
    this.right[node] = right;
    return { left, right };
  }

  isLeaf(node: number): boolean {
    return this.left[node] === 0;
  }
}

/** Which bins of its column a split sends left: 1 at each. */
export function leftBins(
  { bin, categories, missingLeft }: Pick<Split, 'bin' | 'categories' | 'missingLeft'>,
  bins: Bins,
): Uint8Array {
  if (categories) return categories;
  const goes = new Uint8Array(256);
  goes.fill(1, 0, bin + 1);
  goes[bins.missing] = Number(missingLeft);
  return goes;
}

/** Adds the tree's value to the score of each row: 32-bit sums in the order of the trees, as onnxruntime makes them. */
export function addTree(tree: Tree, { data, rows }: Binned, bins: readonly Bins[], scores: Float32Array): void {
  const { column, bin, left, right, missingLeft, value, categories } = tree;
  for (let row = 0; row < rows; row += 1) {
    let node = 0;
    while (left[node] !== 0) {
      const at = column[node]!;
      const found = data[at * rows + row]!;
      const set = categories[node];
      const goesLeft = set
        ? set[found] === 1
        : found === bins[at]!.missing
          ? missingLeft[node] === 1
          : found <= bin[node]!;
      node = goesLeft ? left[node]! : right[node]!;
    }
    scores[row] = scores[row]! + value[node]!;
  }
}
