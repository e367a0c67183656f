import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { featureDigest } from '../../contract/estimator.ts';
import type { Tensor } from '../../contract/tensor.ts';
import estimator from './estimator.ts';
import { COLUMNS, ELEMENTS, encodeHour, encodeValue } from './features.ts';
import golden from './golden.json' with { type: 'json' };
import { RecentTrips } from './lags.ts';
import { readHour, rowOf } from './row.ts';

/**
 * What each version that models were trained with makes of the same rows. A version is never taken back, so an entry of
 * golden.json is added to and never changed.
 */
interface Golden {
  /** Digest of the feature schema. */
  features: string;
  /** Digest of the tensor of fixed domain rows. */
  rows?: string;
  /** Digest of the tensor of hours that were read from a fixed history. */
  history?: string;
}
const GOLDEN: Record<string, Golden> = golden;

const row = {
  time: '2026-11-23T18:00',
  temperature: 7.5,
  precipitation: 0,
  wind: 3,
  trips_day_ago: 40,
  trips_2_days_ago: 43,
  trips_week_ago: 36,
  trips_2_weeks_ago: 38,
  trips_mean_week: 12.5,
  trips_mean_4_weeks: 37,
};

/** Rows that touch each branch of the encoding: free days, ends of ranges, what is left out. */
const FIXED_ROWS = [
  row,
  { ...row, time: '2026-01-01T00:00', holiday: true, temperature: -12.25 },
  { ...row, time: '2024-12-31T23:00', precipitation: 4.5, wind: 22 },
  { ...row, time: '2026-07-25T14:00', trips_day_ago: 0, trips_mean_week: null },
  { time: '2028-02-29T07:00', temperature: 3, precipitation: 0.1, wind: 0 },
];

function encoded(rows: Record<string, unknown>[]): Tensor {
  return estimator.encode(rows).get('features')!;
}

/** The first row by the names of its elements. */
function byName(change: Record<string, unknown> = {}): Record<string, number> {
  const { data } = encoded([{ ...row, ...change }]);
  return Object.fromEntries(ELEMENTS.map(({ name }, index) => [name, Number(data[index])]));
}

/** NaN has several forms in bits; here it has one. */
function digestOf(data: Tensor['data']): string {
  const bits = new Uint32Array((data as Float32Array).slice().buffer);
  for (const [index, value] of (data as Float32Array).entries()) if (Number.isNaN(value)) bits[index] = 0x7fc00000;
  return `sha256:${createHash('sha256').update(new Uint8Array(bits.buffer)).digest('hex')}`;
}

/** Five weeks of trips that have a pattern and a gap, and each hour of the last week as it is encoded. */
function encodedHistory(): Float32Array {
  const recent = new RecentTrips();
  const [first, hours, last] = [490_000, 5 * 168, 168];
  const data = new Float32Array(last * ELEMENTS.length);
  for (let turn = 0; turn < hours; turn += 1) {
    const wallHour = first + turn;
    const weather = { temperature: turn % 30, precipitation: turn % 5, wind: turn % 9 };
    const hour = { ...recent.lagsOf(wallHour), wallHour, holiday: turn % 100 < 24, ...weather };
    if (turn >= hours - last) encodeHour(hour, data, (turn - hours + last) * ELEMENTS.length);
    if (turn % 50 > 2) recent.add(wallHour, (turn * 7) % 41);
  }
  return data;
}

describe('features', () => {
  const now = {
    features: featureDigest(estimator.features),
    rows: digestOf(encoded(FIXED_ROWS).data),
    history: digestOf(encodedHistory()),
  };
  const entry = JSON.stringify({ [estimator.version]: now }, null, 2);

  it('change only together with the version', () =>
    expect(
      GOLDEN[estimator.version],
      `What ${estimator.name} feeds its models changed. Models trained with ${estimator.version} would be fed other numbers: raise the version (a major step when old models must not serve), and add to golden.json: ${entry}`,
    ).toEqual(now));

  it('that mean something else have another schema, so that no server takes a model of the others', () => {
    const [others, digests] = [{ ...GOLDEN }, new Set<string>()];
    delete others[estimator.version];
    for (const { features } of Object.values(others)) digests.add(features);
    const message = 'change the name, encoding or unit of what changed: the digest of the schema must differ';
    expect(digests.has(now.features), message).toBe(false);
    expect(digests.size).toBe(Object.keys(others).length);
  });

  it('hold nothing but the schema, so that the digest does not depend on code', () =>
    expect(structuredClone(estimator.features)).toEqual(estimator.features));

  it('have unique names, and elements as wide as their encodings', () => {
    expect(new Set(ELEMENTS.map(({ name }) => name)).size).toBe(ELEMENTS.length);
    expect(COLUMNS.flatMap((column) => encodeValue(column, 0))).toHaveLength(ELEMENTS.length);
  });

  it('with an unknown encoding are refused', () =>
    expect(() => encodeValue({ name: 'x', type: 'number', encoding: 'octal' }, 1)).toThrow(/octal/));
});

describe('encode', () => {
  it('gives one row of numbers for each domain row', () => {
    const { shape, data, datatype } = encoded([row, { ...row, wind: 9 }, row]);
    expect({ shape, datatype }).toEqual({ shape: [3, ELEMENTS.length], datatype: 'FP32' });
    expect(data).toHaveLength(3 * ELEMENTS.length);
    expect(data.slice(0, ELEMENTS.length)).toEqual(data.slice(2 * ELEMENTS.length));
  });

  it('writes what the row says', () => {
    const got = byName();
    expect(got).toMatchObject({ hour: 18, weekday: 1, free_day: 0, holiday: 0, temperature: 7.5, wind: 3 });
    expect(got['hour_angle.sin']).toBeCloseTo(-1);
    expect(got['hour_angle.cos']).toBeCloseTo(0);
    expect(got['trips_day_ago']).toBeCloseTo(Math.log(41));
    expect(got['trips_mean_4_weeks']).toBeCloseTo(Math.log(38));
  });

  it.each([
    ['a Monday', { time: '2026-11-23T18:00' }, { free_day: 0, holiday: 0, weekday: 1 }],
    ['a holiday on a Monday', { time: '2026-11-23T18:00', holiday: true }, { free_day: 1, holiday: 1, weekday: 1 }],
    ['a Sunday', { time: '2026-11-22T18' }, { free_day: 1, holiday: 0, weekday: 0 }],
    ['the 29th of February', { time: '2028-02-29T00:00:00' }, { hour: 0, 'hour_angle.cos': 1, free_day: 0 }],
    ['the 1st of January', { time: '2026-01-01T05:00' }, { 'year_angle.sin': 0, 'year_angle.cos': 1 }],
    ['a lag of the next version beside all that it has itself', { trips_3_days_ago: 3 }, { hour: 18 }],
    ['fields of other programs', { shop: 'unknown to it', zone: 'centre' }, { hour: 18 }],
  ])('knows %s', (_what, change, want) => expect(byName(change)).toMatchObject(want));

  it.each([
    ['left out', { trips_day_ago: undefined }],
    ['null', { trips_day_ago: null }],
  ])('takes a lag that is %s for one that is not known', (_what, change) =>
    expect(byName(change)).toMatchObject({ trips_day_ago: Number.NaN, hour: 18 }),
  );

  it('reads back what it would write for an hour', () => {
    for (const [index, one] of FIXED_ROWS.entries()) {
      const hour = readHour(one, index);
      expect(readHour(rowOf(hour), index)).toEqual(hour);
    }
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a half hour', { time: '2026-11-23T18:30' }, /instances\[1\]\.time must be a full hour/],
    ['an offset', { time: '2026-11-23T18:00Z' }, /instances\[1\]\.time/],
    ['a day that does not exist', { time: '2026-02-30T18:00' }, /instances\[1\]\.time/],
    ['hour 24', { time: '2026-11-23T24:00' }, /instances\[1\]\.time/],
    ['no time', { time: undefined }, /instances\[1\]\.time/],
    ['text for a number', { wind: '3' }, /instances\[1\]\.wind must be a number.*"3"/],
    ['no weather', { wind: null }, /instances\[1\]\.wind must be a number from 0 to 120, not null/],
    ['NaN', { temperature: Number.NaN }, /instances\[1\]\.temperature/],
    ['negative trips', { trips_week_ago: -1 }, /instances\[1\]\.trips_week_ago/],
    ['text for a boolean', { holiday: 'no' }, /instances\[1\]\.holiday must be true or false/],
    [
      'a misspelt lag',
      { trips_day_ago: undefined, trips_days_ago: 3 },
      /instances\[1\]\.trips_days_ago is no field; 'trips_day_ago' is/,
    ],
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
