import type { Column, Table } from '../../table.ts';
import { type Random, seededRandom } from '../random.ts';

/** Tables for tests. */

export function numeric(name: string, values: readonly number[]): Column {
  return { name, kind: 'numeric', values: Float32Array.from(values) };
}

export function categorical(name: string, values: readonly number[]): Column {
  return { name, kind: 'categorical', values: Float32Array.from(values) };
}

export function tableOf(...columns: Column[]): Table {
  return { rows: columns[0]?.values.length ?? 0, columns };
}

export interface Mixed {
  table: Table;
  random: Random;
}

/**
 * Numbers of several kinds (smooth, whole, huge, tiny, equal but for their last bit), missing values, infinities, and categories, few and many.
 */
export function mixedTable(rows: number, seed: number): Mixed {
  const random = seededRandom(seed);
  const make = (value: () => number): number[] => Array.from({ length: rows }, value);
  const missing = (part: number, value: () => number) => (): number => (random() < part ? Number.NaN : value());
  const table = tableOf(
    numeric('smooth', make(random)),
    numeric(
      'whole',
      make(() => Math.floor(random() * 7)),
    ),
    numeric('holes', make(missing(0.3, () => random() * 10 - 5))),
    numeric(
      'huge',
      make(() => 1e30 * random()),
    ),
    numeric(
      'tiny',
      make(() => 1e-40 * random()),
    ),
    numeric(
      'close',
      make(() => 1 + Math.floor(random() * 4) * 2 ** -23),
    ),
    numeric(
      'endless',
      make(() => [Number.NEGATIVE_INFINITY, -1, 0, 2, Number.POSITIVE_INFINITY][Math.floor(random() * 5)]!),
    ),
    categorical('few', make(missing(0.1, () => Math.floor(random() * 3)))),
    categorical('many', make(missing(0.05, () => Math.floor(random() * random() * 400)))),
    numeric(
      'absent',
      make(() => Number.NaN),
    ),
  );
  return { table, random };
}

/** A target that every column but the absent one has a say in. */
export function mixedTarget({ table, random }: Mixed): Float64Array {
  const [smooth, whole, holes, huge, tiny, close, endless, few, many] = table.columns.map(({ values }) => values);
  return Float64Array.from({ length: table.rows }, (_, row) => {
    const of = (values: ArrayLike<number> | undefined): number => values![row]!;
    return (
      Math.sin(6 * of(smooth)) +
      (of(whole) % 3) +
      (Number.isNaN(of(holes)) ? 2 : of(holes) > 1 ? -1 : 0) +
      (of(huge) > 5e29 ? 1 : 0) +
      (of(tiny) > 5e-41 ? 1 : 0) +
      (of(close) > 1 + 2 ** -23 ? 1.5 : 0) +
      (of(endless) > 1 ? 1 : of(endless) < -1 ? -1 : 0) +
      (of(few) === 1 ? 1 : Number.isNaN(of(few)) ? -2 : 0) +
      [0, 2, -1, 1][(of(many) * 7) % 4 || 0]! +
      0.3 * (random() - 0.5)
    );
  });
}
