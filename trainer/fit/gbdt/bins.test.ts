import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { categorical, numeric } from '../testing/tables.ts';
import { BinFinder, type Bins, fillBins } from './bins.ts';

const random = seededRandom(8);
const many = (count: number, make: (at: number) => number): number[] =>
  Array.from({ length: count }, (_, at) => make(at));

function find(column: ReturnType<typeof numeric>, maxBins = 255): { bins: Bins; filled: Uint8Array } {
  const bins = new BinFinder(column.values.length, { maxBins, random: seededRandom(1) }).find(column, undefined);
  const filled = new Uint8Array(column.values.length);
  fillBins(column, undefined, bins, filled, 0);
  return { bins, filled };
}

const SHAPES: [string, () => number][] = [
  ['even', random],
  ['heavy-tailed', () => (random() - 0.5) / random() ** 3],
  ['few', () => Math.floor(random() * 5)],
  ['mostly one value', () => (random() < 0.9 ? 3 : random())],
  ['all equal', () => 4],
  ['tiny', () => 1e-42 * Math.floor(random() * 500)],
  [
    'with holes and infinities',
    () => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, random()][Math.floor(random() * 4)]!,
  ],
  ['nothing', () => Number.NaN],
];

describe.each(SHAPES)('a column of numbers, %s', (_, make) => {
  const column = numeric('x', many(5000, make));
  it.each([2, 16, 255])('in %d bins: each value lies between the edges of its bin', (maxBins) => {
    const { bins, filled } = find(column, maxBins);
    if (bins.kind !== 'numeric') throw new Error('a column of numbers');
    const { edges, values, missing } = bins;
    expect(values).toBeLessThanOrEqual(maxBins);
    expect(edges).toEqual(edges.slice().sort());
    for (const [row, bin] of filled.entries()) {
      const value = column.values[row]!;
      const wanted = Number.isNaN(value) ? missing : edges.filter((edge) => edge < value).length;
      expect(bin).toBe(wanted);
    }
  });
});

describe('edges', () => {
  it('hold about equally many rows', () => {
    const { filled } = find(numeric('x', many(50_000, random)), 50);
    const counts = [...Map.groupBy(filled, (bin) => bin).values()].map((rows) => rows.length);
    expect(counts).toHaveLength(50);
    expect(Math.max(...counts)).toBeLessThan(1100);
    expect(Math.min(...counts)).toBeGreaterThan(900);
  });

  it('give a frequent value a bin to itself', () => {
    const column = numeric(
      'x',
      many(10_000, () => (random() < 0.3 ? 0.5 : random())),
    );
    const { filled } = find(column, 20);
    const bin = filled[column.values.indexOf(0.5)]!;
    const beside = filled.filter((other, row) => other === bin && column.values[row] !== 0.5).length;
    expect(beside).toBeLessThan(700);
  });
});

it('categories: the most frequent have bins, all others share the last', () => {
  const codes = many(20, (at) => 3 * at).flatMap((code) => many(100 - code, () => code));
  const { bins, filled } = find(categorical('c', [...codes, 9999, Number.NaN]), 10);
  if (bins.kind !== 'categorical') throw new Error('a column of categories');
  expect([...bins.codes]).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  expect([...filled.slice(-2)]).toEqual([10, 10]);
  for (const [row, code] of codes.entries()) expect(filled[row]).toBe(Math.min(code / 3, 10));
});
