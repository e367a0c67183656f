import { describe, expect, it } from 'vitest';
import { featureDigest } from '../../contract/estimator.ts';
import type { Tensor } from '../../contract/tensor.ts';
import estimator from './estimator.ts';
import { COLUMNS, ELEMENTS, encodeValue } from './features.ts';

/** The feature schema of each version that models were trained with. A version is never taken back. */
const PINNED: Record<string, string> = {
  '1.0.0': 'sha256:bf7f99fac716b60dd229cc10e6fd96d0883805fed116c23619776fa5932e3ba7',
};

const row = {
  zone: 'centre',
  time: '2026-11-23T18:00',
  temperature: 7.5,
  precipitation: 0,
  wind: 3,
  trips_day_ago: 40,
  trips_week_ago: 36,
  trips_mean_week: 12.5,
};

function encoded(rows: Record<string, unknown>[]): Tensor {
  return estimator.encode(rows).get('features')!;
}

/** The first row by the names of its elements. */
function byName(change: Record<string, unknown> = {}): Record<string, number> {
  const { data } = encoded([{ ...row, ...change }]);
  return Object.fromEntries(ELEMENTS.map((name, index) => [name, Number(data[index])]));
}

describe('features', () => {
  it('change only together with the version', () => {
    const digest = featureDigest(estimator.features);
    const message = `The features of ${estimator.name} changed. Models trained with ${estimator.version} would be fed other numbers: raise the version (a major step when old models must not serve) and pin ${digest} for it here.`;
    expect(PINNED[estimator.version], message).toBe(digest);
  });

  it('hold nothing but the schema, so that the digest does not depend on code', () =>
    expect(structuredClone(estimator.features)).toEqual(estimator.features));

  it('have unique names, and elements as wide as their encodings', () => {
    expect(new Set(ELEMENTS).size).toBe(ELEMENTS.length);
    expect(COLUMNS.flatMap((column) => encodeValue(column, 0))).toHaveLength(ELEMENTS.length);
  });

  it('with an unknown encoding are refused', () =>
    expect(() => encodeValue({ name: 'x', type: 'number', encoding: 'octal' }, 1)).toThrow(/octal/));
});

describe('encode', () => {
  it('gives one row of numbers for each domain row', () => {
    const { shape, data, datatype } = encoded([row, { ...row, zone: 'west' }, row]);
    expect({ shape, datatype }).toEqual({ shape: [3, ELEMENTS.length], datatype: 'FP32' });
    expect(data).toHaveLength(3 * ELEMENTS.length);
    expect(data.slice(0, ELEMENTS.length)).toEqual(data.slice(2 * ELEMENTS.length));
  });

  it('writes what the row says', () => {
    const got = byName();
    expect(got).toMatchObject({ 'zone=centre': 1, 'zone=west': 0, free_day: 0, holiday: 0, temperature: 7.5, wind: 3 });
    expect(got['hour.sin']).toBeCloseTo(-1);
    expect(got['hour.cos']).toBeCloseTo(0);
    expect(got['trips_day_ago']).toBeCloseTo(Math.log(41));
  });

  it.each([
    ['a Monday', { time: '2026-11-23T18:00' }, { free_day: 0, holiday: 0 }],
    ['a holiday on a Monday', { time: '2026-11-23T18:00', holiday: true }, { free_day: 1, holiday: 1 }],
    ['a Sunday', { time: '2026-11-22T18' }, { free_day: 1, holiday: 0 }],
    ['the 29th of February', { time: '2028-02-29T00:00:00' }, { 'hour.cos': 1, free_day: 0 }],
  ])('knows %s', (_what, change, want) => expect(byName(change)).toMatchObject(want));

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown zone', { zone: 'moon' }, /instances\[1\]\.zone must be one of campus.*"moon"/],
    ['no zone', { zone: undefined }, /instances\[1\]\.zone/],
    ['a zone of the prototype', { zone: '__proto__' }, /instances\[1\]\.zone/],
    ['a half hour', { time: '2026-11-23T18:30' }, /instances\[1\]\.time must be a full hour/],
    ['an offset', { time: '2026-11-23T18:00Z' }, /instances\[1\]\.time/],
    ['a day that does not exist', { time: '2026-02-30T18:00' }, /instances\[1\]\.time/],
    ['hour 24', { time: '2026-11-23T24:00' }, /instances\[1\]\.time/],
    ['text for a number', { wind: '3' }, /instances\[1\]\.wind must be a number.*"3"/],
    ['NaN', { temperature: Number.NaN }, /instances\[1\]\.temperature/],
    ['negative trips', { trips_week_ago: -1 }, /instances\[1\]\.trips_week_ago/],
    ['text for a boolean', { holiday: 'no' }, /instances\[1\]\.holiday must be true or false/],
  ])('refuses %s, naming row and field', (_what, change, sentence) =>
    expect(() => estimator.encode([row, { ...row, ...change }])).toThrow(sentence),
  );
});

describe('decode', () => {
  const output = (values: number[], shape: number[]): Map<string, Tensor> =>
    new Map([['trips', { datatype: 'FP32', shape, data: new Float32Array(values) }]]);

  it('gives the trips of each row, none below 0', () =>
    expect(estimator.decode(output([3.5, -0.25], [2, 1]), [row, row])).toEqual([{ trips: 3.5 }, { trips: 0 }]));

  it('refuses an answer of another length', () =>
    expect(() => estimator.decode(output([1], [1]), [row, row])).toThrow(/one number for each row/));
});
