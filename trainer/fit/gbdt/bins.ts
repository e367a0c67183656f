import type { Column } from '../../table.ts';
import type { Random } from '../random.ts';

/** Rows that edges are taken from; as many as scikit-learn and LightGBM look at. */
const SAMPLE = 200_000;
/** Cells of the grid that finds a bin faster than a search over all edges. */
const CELLS = 1024;

/** A column of numbers: bin b holds edges[b - 1] < x <= edges[b]. The edges are 32-bit floats, as the exported model compares them. */
interface NumericBins {
  kind: 'numeric';
  edges: Float32Array;
  /** Bins of values, one more than edges. */
  values: number;
  /** The bin of NaN, after those of values. */
  missing: number;
}

/** A column of categories: bin b holds codes[b]; the last one all that is rare, unknown or missing, which always goes right. */
interface CategoricalBins {
  kind: 'categorical';
  codes: Float64Array;
  binOf: ReadonlyMap<number, number>;
  values: number;
  missing: number;
}

export type Bins = NumericBins | CategoricalBins;

export interface BinOptions {
  maxBins: number;
  random: Random;
}

/** Buffers for finding bins, so that many columns leave no garbage behind. */
export class BinFinder {
  readonly #maxBins: number;
  readonly #random: Random;
  readonly #taken: Float32Array;
  readonly #counts: Uint32Array;

  constructor(rows: number, { maxBins, random }: BinOptions) {
    // Of 256 numbers that a byte has, one is the bin of NaN.
    this.#maxBins = Math.min(maxBins, 255);
    this.#random = random;
    this.#taken = new Float32Array(Math.min(rows, SAMPLE));
    this.#counts = new Uint32Array(this.#taken.length);
  }

  /** Learns the bins of a column from the rows that take part. They depend on its values alone, never on the target. */
  find(column: Column, rows: Uint32Array | undefined): Bins {
    if (column.kind === 'categorical') return categoricalBins(column, rows, this.#maxBins);
    const sorted = this.#sortedSample(column.values, rows);
    const edges = this.#edgesOf(sorted);
    return { kind: 'numeric', edges, values: edges.length + 1, missing: edges.length + 1 };
  }

  /** Values that are there, as 32-bit floats in rising order: all of them, or one drawn from each of {@link SAMPLE} even strides. */
  #sortedSample(values: Column['values'], rows: Uint32Array | undefined): Float32Array {
    const total = rows?.length ?? values.length;
    const count = this.#taken.length;
    let found = 0;
    for (let at = 0; at < count; at += 1) {
      const drawn = count === total ? at : Math.floor(((at + this.#random()) * total) / count);
      const value = values[rows ? rows[drawn]! : drawn]!;
      if (!Number.isNaN(value)) this.#taken[found++] = value;
    }
    return this.#taken.subarray(0, found).sort();
  }

  /**
   * Edges between neighbouring values; where there are more values than bins, so that bins hold about equally many rows, and a value
   * that is as frequent as that has a bin to itself (as LightGBM's GreedyFindBin, src/io/bin.cpp).
   */
  #edgesOf(sorted: Float32Array): Float32Array {
    const counts = this.#counts;
    const distinct = countRuns(sorted, counts);
    const edges: number[] = [];
    let left = sorted.length;
    let inBin = 0;
    for (let at = 0; at < distinct - 1; at += 1) {
      const binsLeft = this.#maxBins - edges.length;
      if (binsLeft <= 1) break;
      const few = distinct - at <= binsLeft;
      const target = (left + inBin) / binsLeft;
      inBin += counts[at]!;
      left -= counts[at]!;
      // Closed when full, or when the next value alone fills a bin.
      if (few || inBin >= target || (counts[at + 1]! >= target && inBin >= target / 2)) {
        edges.push(between(sorted[at]!, sorted[at + 1]!));
        inBin = 0;
      }
    }
    return Float32Array.from(edges);
  }
}

/** Moves the distinct ones of sorted values to their front, and writes how often each occurs. @returns how many they are */
function countRuns(sorted: Float32Array, counts: Uint32Array): number {
  let distinct = 0;
  for (let at = 0; at < sorted.length; at += 1) {
    const value = sorted[at]!;
    if (distinct > 0 && sorted[distinct - 1] === value) counts[distinct - 1]! += 1;
    else {
      sorted[distinct] = value;
      counts[distinct] = 1;
      distinct += 1;
    }
  }
  return distinct;
}

/** A 32-bit float e with low <= e < high, in the middle where there is one. */
function between(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2);
  return middle >= low && middle < high ? middle : low;
}

function categoricalBins({ values }: Column, rows: Uint32Array | undefined, most: number): CategoricalBins {
  const counts = new Map<number, number>();
  for (let at = 0; at < (rows?.length ?? values.length); at += 1) {
    const value = values[rows ? rows[at]! : at]!;
    if (!Number.isNaN(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const kept = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most);
  const codes = Float64Array.from(kept.map(([code]) => code).sort((a, b) => a - b));
  const binOf = new Map([...codes].map((code, bin) => [code, bin]));
  return { kind: 'categorical', codes, binOf, values: codes.length, missing: codes.length };
}

/** Writes the bin of each row of a column to `into` from `offset` on. */
export function fillBins(
  { values }: Column,
  rows: Uint32Array | undefined,
  bins: Bins,
  into: Uint8Array,
  offset: number,
): void {
  if (bins.kind === 'numeric') {
    fillNumeric(values, rows, bins, into, offset);
    return;
  }
  const count = rows?.length ?? values.length;
  for (let at = 0; at < count; at += 1) {
    into[offset + at] = bins.binOf.get(values[rows ? rows[at]! : at]!) ?? bins.missing;
  }
}

/**
 * A grid over the range of the edges says which few of them a value must be compared with. Cells rise with values, so an edge in a
 * lower cell is below the value and one in a higher cell is not: the answer is that of a search over all edges.
 */
function fillNumeric(
  values: Column['values'],
  rows: Uint32Array | undefined,
  { edges, missing }: NumericBins,
  into: Uint8Array,
  offset: number,
): void {
  const count = rows?.length ?? values.length;
  const { low, scale, first } = gridOf(edges);
  for (let at = 0; at < count; at += 1) {
    const value = Math.fround(values[rows ? rows[at]! : at]!);
    if (Number.isNaN(value)) {
      into[offset + at] = missing;
      continue;
    }
    const place = (value - low) * scale;
    const cell = place <= 0 ? 0 : place >= CELLS ? CELLS : place | 0;
    let bin = first[cell]!;
    let above = first[cell + 1]!;
    while (bin < above) {
      const middle = (bin + above) >> 1;
      if (edges[middle]! < value) bin = middle + 1;
      else above = middle;
    }
    into[offset + at] = bin;
  }
}

interface Grid {
  low: number;
  scale: number;
  /** For each cell, the first edge that does not lie in a lower one; after the last, the number of edges. */
  first: Uint8Array;
}

function gridOf(edges: Float32Array): Grid {
  const finite = edges.filter(Number.isFinite);
  const low = finite[0] ?? 0;
  const width = (finite[finite.length - 1] ?? 0) - low;
  const scale = width > 0 ? CELLS / width : 0;
  const first = new Uint8Array(CELLS + 2).fill(edges.length);
  let edge = 0;
  for (let cell = 0; cell <= CELLS; cell += 1) {
    while (edge < edges.length && cellOf(edges[edge]!, low, scale) < cell) edge += 1;
    first[cell] = edge;
  }
  return { low, scale, first };
}

function cellOf(value: number, low: number, scale: number): number {
  const place = (value - low) * scale;
  return place <= 0 ? 0 : place >= CELLS ? CELLS : Math.trunc(place);
}
