import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import type { Bins } from './bins.ts';
import { addRows, carrierOf, decode, layoutOf, newDecoded, subtract } from './histogram.ts';

const HEIGHT = 20_000;
/** Not a multiple of four, as columns are added four at a time. */
const COLUMNS = 6;

describe.each([1, 2] as const)('a histogram of %d lanes', (lanes) => {
  const random = seededRandom(lanes);
  const bins = Array.from({ length: COLUMNS }, (_, at): Bins => {
    const values = [1, 2, 40, 255, 7, 255][at]!;
    return { kind: 'numeric', edges: new Float32Array(values - 1), values, missing: values };
  });
  const data = Uint8Array.from({ length: HEIGHT * COLUMNS }, (_, at) =>
    Math.floor(random() ** 3 * (bins[Math.floor(at / HEIGHT)]!.missing + 1)),
  );
  const gradients = Float32Array.from({ length: HEIGHT }, () => (random() - 0.5) * 10 ** (6 * random() - 3));
  const hessians = Float32Array.from({ length: HEIGHT }, () => (lanes === 1 ? 1 : random()));
  const layout = layoutOf(bins, lanes);
  const counted = lanes === 1 ? gradients : hessians;
  const carrier = carrierOf(counted.reduce((sum, value) => sum + Math.abs(value), 0));
  const source = { data, height: HEIGHT, layout, columns: Int32Array.from([0, 1, 2, 3, 4, 5]) };
  const all = Uint32Array.from({ length: HEIGHT }, (_, row) => row);
  const some = all.filter(() => random() < 0.3);

  function histogramOf(rows: Uint32Array): Float64Array {
    const into = new Float64Array(layout.bins * lanes);
    const first = Float64Array.from(rows, (row) => gradients[row]! + (lanes === 1 ? carrier : 0));
    const second = Float64Array.from(rows, (row) => hessians[row]! + carrier);
    // Rows stand somewhere in a longer list.
    const list = Uint32Array.from([7, 7, 7, ...rows]);
    addRows(source, list, 3, list.length, first, second, into);
    return into;
  }

  function expectSums(histogram: Float64Array, rows: Uint32Array): void {
    const decoded = newDecoded();
    const scaleOf = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0);
    const [most, heaviest] = [scaleOf(gradients), scaleOf(hessians)];
    for (const [column, { missing }] of bins.entries()) {
      decode(histogram, layout, layout.offsets[column]!, missing + 1, carrier, decoded);
      const wanted = Array.from({ length: missing + 1 }, () => ({ gradient: 0, hessian: 0, count: 0 }));
      for (const row of rows) {
        const sums = wanted[data[column * HEIGHT + row]!]!;
        sums.gradient += gradients[row]!;
        sums.hessian += hessians[row]!;
        sums.count += 1;
      }
      for (const [bin, { gradient, hessian, count }] of wanted.entries()) {
        expect(decoded.counts[bin]).toBe(count);
        expect(Math.abs(decoded.gradients[bin]! - gradient)).toBeLessThan(1e-9 * most);
        expect(Math.abs(decoded.hessians[bin]! - hessian)).toBeLessThan(1e-9 * heaviest);
      }
    }
  }

  it('holds sums and exact counts', () => expectSums(histogramOf(all), all));

  it('of one child is what the other leaves of the parent', () => {
    const parent = histogramOf(all);
    subtract(parent, histogramOf(some));
    const taken = new Set(some);
    expectSums(
      parent,
      all.filter((row) => !taken.has(row)),
    );
  });
});
