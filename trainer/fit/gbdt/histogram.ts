import type { Bins } from './bins.ts';

/**
 * Histograms of gradients, the inner loop of boosting. A bin holds one or two 64-bit sums ("lanes"):
 *
 *   one lane, where each row has the second derivative 1:   sum(g + C)
 *   two lanes otherwise:                                     sum(g), sum(h + C)
 *
 * C is a power of two above twice the sum of |g| (of h) over all rows. So the count n of a bin comes along for no further memory access:
 * n = round(lane / C), and lane - n C is the sum. A double has 53 bits: with a million rows the sum keeps a resolution of 2^-32 of the sum over all rows,
 * far below that of the 32-bit gradients which it adds up.
 */
export interface HistogramLayout {
  lanes: 1 | 2;
  /** First bin of each column. */
  offsets: Int32Array;
  /** Bins of all columns, those for missing values included. */
  bins: number;
}

export function layoutOf(bins: readonly Bins[], lanes: 1 | 2): HistogramLayout {
  const offsets = new Int32Array(bins.length);
  let total = 0;
  for (const [column, { missing }] of bins.entries()) {
    offsets[column] = total;
    total += missing + 1;
  }
  return { lanes, offsets, bins: total };
}

/** C for sums whose absolute values add up to `total`. */
export function carrierOf(total: number): number {
  return total > 0 ? 2 ** (Math.ceil(Math.log2(total)) + 2) : 1;
}

/** What a histogram is made of. */
export interface HistogramSource {
  data: Uint8Array;
  /** Rows of `data`. */
  height: number;
  layout: HistogramLayout;
  /** Columns that are wanted. */
  columns: Int32Array;
}

/**
 * Adds rows[start] to rows[end - 1] to a histogram of zeros. Four columns at once: they share the loads of row and gradients, and their sums do not wait for each
 * other where neighbours fall into the same bin.
 * @param first the first lane of each row, in the order of `rows` from `start` on
 * @param second the second lane, where the layout has two
 */
export function addRows(
  source: HistogramSource,
  rows: Uint32Array,
  start: number,
  end: number,
  first: Float64Array,
  second: Float64Array,
  into: Float64Array,
): void {
  const { data, height, layout, columns } = source;
  const { offsets, lanes } = layout;
  let at = 0;
  for (; at + 3 < columns.length; at += 4) {
    const [c0, c1, c2, c3] = [columns[at]!, columns[at + 1]!, columns[at + 2]!, columns[at + 3]!];
    const bases: Four = [c0 * height, c1 * height, c2 * height, c3 * height];
    const places: Four = [offsets[c0]!, offsets[c1]!, offsets[c2]!, offsets[c3]!];
    if (lanes === 1) addFour(data, bases, rows, start, end, first, into, places);
    else addFourTwice(data, bases, rows, start, end, first, second, into, places);
  }
  for (; at < columns.length; at += 1) {
    const column = columns[at]!;
    if (lanes === 1) addOne(data, column * height, rows, start, end, first, into, offsets[column]!);
    else addOneTwice(data, column * height, rows, start, end, first, second, into, offsets[column]!);
  }
}

type Four = readonly [number, number, number, number];

function addFour(
  data: Uint8Array,
  [b0, b1, b2, b3]: Four,
  rows: Uint32Array,
  start: number,
  end: number,
  first: Float64Array,
  into: Float64Array,
  [p0, p1, p2, p3]: Four,
): void {
  for (let at = start; at < end; at += 1) {
    const row = rows[at]!;
    const value = first[at - start]!;
    into[p0 + data[b0 + row]!]! += value;
    into[p1 + data[b1 + row]!]! += value;
    into[p2 + data[b2 + row]!]! += value;
    into[p3 + data[b3 + row]!]! += value;
  }
}

function addFourTwice(
  data: Uint8Array,
  [b0, b1, b2, b3]: Four,
  rows: Uint32Array,
  start: number,
  end: number,
  first: Float64Array,
  second: Float64Array,
  into: Float64Array,
  [p0, p1, p2, p3]: Four,
): void {
  for (let at = start; at < end; at += 1) {
    const row = rows[at]!;
    const value = first[at - start]!;
    const other = second[at - start]!;
    const k0 = (p0 + data[b0 + row]!) << 1;
    into[k0]! += value;
    into[k0 + 1]! += other;
    const k1 = (p1 + data[b1 + row]!) << 1;
    into[k1]! += value;
    into[k1 + 1]! += other;
    const k2 = (p2 + data[b2 + row]!) << 1;
    into[k2]! += value;
    into[k2 + 1]! += other;
    const k3 = (p3 + data[b3 + row]!) << 1;
    into[k3]! += value;
    into[k3 + 1]! += other;
  }
}

function addOne(
  data: Uint8Array,
  base: number,
  rows: Uint32Array,
  start: number,
  end: number,
  first: Float64Array,
  into: Float64Array,
  place: number,
): void {
  for (let at = start; at < end; at += 1) into[place + data[base + rows[at]!]!]! += first[at - start]!;
}

function addOneTwice(
  data: Uint8Array,
  base: number,
  rows: Uint32Array,
  start: number,
  end: number,
  first: Float64Array,
  second: Float64Array,
  into: Float64Array,
  place: number,
): void {
  for (let at = start; at < end; at += 1) {
    const bin = (place + data[base + rows[at]!]!) << 1;
    into[bin]! += first[at - start]!;
    into[bin + 1]! += second[at - start]!;
  }
}

/** larger = parent - smaller, in the place of the parent: the larger child of a split costs no pass over its rows. */
export function subtract(parent: Float64Array, smaller: Float64Array): void {
  for (let at = 0; at < parent.length; at += 1) parent[at]! -= smaller[at]!;
}

/** The bins of one column, decoded; reused from column to column. */
export interface Decoded {
  gradients: Float64Array;
  hessians: Float64Array;
  counts: Float64Array;
}

export function newDecoded(): Decoded {
  return { gradients: new Float64Array(256), hessians: new Float64Array(256), counts: new Float64Array(256) };
}

/** @param carrier C of the lane that holds counts */
export function decode(
  histogram: Float64Array,
  { lanes }: HistogramLayout,
  offset: number,
  bins: number,
  carrier: number,
  into: Decoded,
): void {
  const { gradients, hessians, counts } = into;
  const inverse = 1 / carrier;
  for (let bin = 0; bin < bins; bin += 1) {
    const lane = histogram[lanes === 1 ? offset + bin : ((offset + bin) << 1) + 1]!;
    const count = Math.floor(lane * inverse + 0.5);
    const rest = lane - count * carrier;
    counts[bin] = count;
    // What subtraction leaves in an empty bin is rounding.
    gradients[bin] = count === 0 ? 0 : lanes === 1 ? rest : histogram[(offset + bin) << 1]!;
    hessians[bin] = lanes === 1 ? count : count === 0 ? 0 : rest;
  }
}
