import type { Estimator } from '../../contract/estimator.ts';
import type { Manifest, SampleTensor } from '../../contract/manifest.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { readable } from './examples.ts';

type Row = Record<string, unknown>;

/** How near a value must be to what was asked for, as a share of it: tensors hold single precision. */
const NEAR = 1e-5;
/** Digits of single precision. */
const DIGITS = 6;

/**
 * One domain row. Its fields have what they give as examples, or the first category of the feature of that name, or something of their type;
 * and of the first sample of the manifest the numbers that can be told from its tensors, so that the row is of the size that the
 * model knows.
 */
export function domainExample(estimator: Estimator, { samples }: Manifest): { instances: [Row] } {
  const row = rowOfFields(estimator);
  const sample = readable(samples);
  return { instances: [sample ? rowOfSample(estimator, row, sample.inputs) : row] };
}

function rowOfFields({ row, features }: Estimator): Row {
  const values = { number: 0, integer: 0, boolean: false, string: 'text' };
  const fields = row.filter(({ required, example }) => required || example !== undefined);
  return Object.fromEntries(
    fields.map(({ name, type, example }) => [
      name,
      example ?? features.find((feature) => feature.name === name)?.categories?.[0] ?? values[type],
    ]),
  );
}

/** What a number may have become in a tensor, undone: it is as it was, or its logarithm. */
const INVERSES: readonly ((value: number) => number)[] = [(value) => value, Math.expm1];

/** The row with the numbers of the sample; the row itself where its estimator does not take it. */
function rowOfSample(estimator: Estimator, row: Row, sample: Readonly<Record<string, SampleTensor>>): Row {
  const encode = (one: Row): Tensors => estimator.encode([one]);
  try {
    const before = encode(row);
    const made = { ...row };
    for (const { name, type } of estimator.row) {
      const value = row[name];
      if ((type !== 'number' && type !== 'integer') || typeof value !== 'number') continue;
      const place = placeOf(before, encode({ ...row, [name]: value + 1 }));
      const found = place && sample[place.tensor]?.data[place.index];
      if (!place || typeof found !== 'number') continue;
      const candidates = INVERSES.map((undo) => rounded(undo(found), type));
      made[name] =
        candidates.find((one) => {
          const got = encode({ ...row, [name]: one }).get(place.tensor)!.data[place.index];
          return isNear(got, found);
        }) ?? value;
    }
    encode(made);
    return made;
  } catch {
    return row;
  }
}

/** The one element that changed; undefined where it is not the only one. */
function placeOf(before: Tensors, after: Tensors): { tensor: string; index: number } | undefined {
  const places = [...before].flatMap(([tensor, { data }]) => {
    const changed = after.get(tensor)!.data;
    const moved = Array.from(data as ArrayLike<unknown>, (was, index) => !Object.is(was, changed[index]));
    return moved.flatMap((is, index) => (is ? [{ tensor, index }] : []));
  });
  return places.length === 1 ? places[0] : undefined;
}

function rounded(value: number, type: 'number' | 'integer'): number {
  return type === 'integer' ? Math.round(value) : Number(value.toPrecision(DIGITS));
}

function isNear(value: unknown, wanted: number): boolean {
  return typeof value === 'number' && Math.abs(value - wanted) <= NEAR * Math.max(1, Math.abs(wanted));
}
