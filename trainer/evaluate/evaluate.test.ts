import { describe, expect, it } from 'vitest';
import { gbdt } from '../fit/gbdt/gbdt.ts';
import { ridge } from '../fit/ridge/ridge.ts';
import { categorical, numeric, tableOf } from '../fit/testing/tables.ts';
import { baselineOf } from './baseline.ts';
import { crossValidate } from './cross-validate.ts';
import {
  logLoss,
  meanAbsoluteError,
  meanMetrics,
  metricsByGroup,
  metricsOf,
  pinballLoss,
  poissonDeviance,
  rootMeanSquaredError,
} from './metrics.ts';
import { seasonalNaive } from './naive.ts';
import { samplesOf } from './samples.ts';
import { byTime, holdOut, splitAtRandom, splitByTime, timeSplits } from './splits.ts';

const many = (count: number, make: (at: number) => number): number[] =>
  Array.from({ length: count }, (_, at) => make(at));
const floats = (...values: number[]): Float64Array => Float64Array.from(values);

describe('splits by time', () => {
  // Made with TimeSeriesSplit of scikit-learn 1.9.1: [train start, train end, test start, test end].
  it.each([
    [
      10,
      { splits: 3 },
      [
        [0, 4, 4, 6],
        [0, 6, 6, 8],
        [0, 8, 8, 10],
      ],
    ],
    [
      23,
      { splits: 4, gap: 2, testSize: 3 },
      [
        [0, 9, 11, 14],
        [0, 12, 14, 17],
        [0, 15, 17, 20],
        [0, 18, 20, 23],
      ],
    ],
    [
      11,
      { splits: 2, maxTrain: 3, gap: 1 },
      [
        [1, 4, 5, 8],
        [4, 7, 8, 11],
      ],
    ],
    [
      17379,
      { splits: 5, gap: 48, maxTrain: 10000, testSize: 1000 },
      [
        [2331, 12331, 12379, 13379],
        [3331, 13331, 13379, 14379],
        [4331, 14331, 14379, 15379],
        [5331, 15331, 15379, 16379],
        [6331, 16331, 16379, 17379],
      ],
    ],
  ])('of %d rows with %j are those of scikit-learn', (rows, options, wanted) => {
    expect(timeSplits(rows, options).map(({ train, test }) => [...train, ...test])).toEqual(wanted);
  });

  it.each([
    [3, { splits: 3 }],
    [10, { splits: 2, testSize: 5 }],
    [10, { splits: 3, gap: 4 }],
  ])('of %d rows with %j cannot be', (rows, options) => {
    expect(() => timeSplits(rows, options)).toThrow(/rows are too few/);
  });

  it('follow the times, not the order of the table', () => {
    const set = {
      table: tableOf(numeric('x', [1, 2, 3, 4])),
      target: new Float64Array(4),
      times: floats(30, 10, 40, 20),
    };
    expect([...byTime(set)]).toEqual([1, 3, 0, 2]);
    const [split] = splitByTime(set, { splits: 1, testSize: 1 });
    expect([[...split!.train], [...split!.test]]).toEqual([[1, 3, 0], [2]]);
    const { training, validation } = holdOut(set, 0.5, 0);
    expect([[...training.rows!], [...validation.rows!]]).toEqual([
      [1, 3],
      [0, 2],
    ]);
  });
});

describe('splits without time', () => {
  const set = {
    table: tableOf(
      numeric(
        'x',
        many(103, (at) => at),
      ),
    ),
    target: new Float64Array(103),
  };
  it('test each row once, by a model that never saw it; the same seed deals the same', () => {
    const splits = splitAtRandom(set, 5, 1);
    expect(splits.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(many(103, (at) => at));
    for (const { train, test } of splits) {
      expect(train.length + test.length).toBe(103);
      expect(train.filter((row) => test.includes(row))).toHaveLength(0);
    }
    expect(splitAtRandom(set, 5, 1)).toEqual(splits);
    expect(splitAtRandom(set, 5, 2)).not.toEqual(splits);
    expect(() => splitAtRandom(set, 104, 1)).toThrow(/103 rows cannot be dealt to 104 parts/);
  });

  it('hold out drawn rows', () => {
    const { training, validation } = holdOut(set, 0.2, 3);
    expect(validation.rows).toHaveLength(21);
    expect([...training.rows!, ...validation.rows!].sort((a, b) => a - b)).toEqual(many(103, (at) => at));
  });
});

describe('metrics', () => {
  // Values by scikit-learn 1.9.1: mean_poisson_deviance, mean_pinball_loss, log_loss.
  const answered = { target: floats(0, 1, 3, 7), answers: floats(0.5, 1.5, 2, 8) };
  it('are those of scikit-learn', () => {
    expect(poissonDeviance(answered)).toBeCloseTo(0.43810523392233525, 12);
    expect(poissonDeviance({ ...answered, weights: floats(1, 2, 0, 1) })).toBeCloseTo(0.3771750177060065, 12);
    expect(pinballLoss(answered, 0.1)).toBeCloseTo(0.475, 12);
    expect(pinballLoss(answered, 0.9)).toBeCloseTo(0.275, 12);
    expect(meanAbsoluteError(answered)).toBeCloseTo(0.75, 12);
    expect(rootMeanSquaredError(answered)).toBeCloseTo(Math.sqrt(2.5 / 4), 12);
    expect(logLoss({ target: floats(0, 1, 1, 0), answers: floats(0.2, 0.7, 0.4, 0.9) })).toBeCloseTo(
      0.9496735800302858,
      12,
    );
  });

  it('of what can never be are infinite or bounded', () => {
    expect(poissonDeviance({ target: floats(1), answers: floats(0) })).toBe(Number.POSITIVE_INFINITY);
    expect(logLoss({ target: floats(1), answers: floats(0) })).toBeCloseTo(-Math.log(1e-15), 9);
  });

  it('by group, and their mean over splits', () => {
    const groups = metricsByGroup('squared-error', answered, ['b', 'a', 'b', 'a']);
    expect(Object.keys(groups)).toEqual(['a', 'b']);
    expect(groups['a']).toMatchObject({ rows: 2, mae: 0.75 });
    const weighted = metricsByGroup('squared-error', { ...answered, weights: floats(0, 1, 0, 1) }, [
      'b',
      'a',
      'b',
      'a',
    ]);
    expect(Object.keys(weighted)).toEqual(['a']);
    expect(meanMetrics([{ mae: 1 }, { mae: 4 }])).toEqual({ mae: 2.5 });
    expect(metricsOf('logistic', { target: floats(0, 1), answers: floats(0.2, 0.4) })).toMatchObject({
      errorRate: 0.5,
    });
  });
});

it.each([
  ['test', 9, 'All 2 rows of the test part of split 3 of 3 have the weight 0, so it says nothing'],
  ['train', 0, 'All 5 rows of the train part of split 1 of 3 have the weight 0'],
])('a split whose %s part has no row that counts is refused before anything is fitted', async (_, from, message) => {
  const weights = Float64Array.from(many(11, (at) => Number(from === 0 ? at > 4 : at < from)));
  const set = { table: tableOf(numeric('x', many(11, Number))), target: floats(...many(11, Number)), weights };
  const splits = splitByTime({ ...set, times: set.target }, { splits: 3, testSize: 2 });
  const fitter = { name: 'none', fit: () => Promise.reject(new Error('It was fitted.')) };
  const options = { settings: {}, seed: 0, now: () => 0 };
  await expect(crossValidate(fitter, set, splits, options)).rejects.toThrow(message);
});

describe('the seasonal-naive forecast', () => {
  const rows = Uint32Array.from(many(20, (at) => at));
  const times = Float64Array.from(rows);
  const target = Float64Array.from(rows, (row) => 10 * (row % 5) + Math.floor(row / 5));
  it('answers the same time of the newest season that is known, never one that is not', () => {
    const split = { train: rows.subarray(0, 9), test: rows.subarray(11, 20) };
    const answers = seasonalNaive({ target, times }, split, { season: 5 });
    // The training part ends with hour 8, so hours 3 and 4 of its season are not known.
    expect([...answers]).toEqual([11, 21, 31, 40, 1, 11, 21, 31, 40]);
  });

  it('keeps groups apart, and takes the mean of a group, or of all, where nothing is known', () => {
    const groups = ['a', 'a', 'b', 'b', 'c', 'a'];
    const set = { target: floats(1, 3, 10, 30, 0, 0), times: floats(0, 1, 0, 1, 5, 100.5) };
    const split = { train: Uint32Array.from([0, 1, 2, 3]), test: Uint32Array.from([4, 5]) };
    expect([...seasonalNaive(set, split, { season: 5, groups })]).toEqual([11, 2]);
  });
});

describe('the baseline of a feature', () => {
  const features = baselineOf({
    table: tableOf(
      numeric(
        'even',
        many(101, (at) => at),
      ),
      numeric(
        'skewed',
        many(101, (at) => (at < 60 ? 0 : at)),
      ),
      numeric(
        'constant',
        many(101, () => 7),
      ),
      numeric(
        'holes',
        many(101, (at) => (at < 50 ? Number.NaN : at)),
      ),
      numeric(
        'absent',
        many(101, () => Number.NaN),
      ),
      categorical(
        'zone',
        many(101, (at) => (at === 0 ? Number.NaN : at % 2 === 0 ? 4 : 2)),
      ),
    ),
    target: new Float64Array(101),
  }).features;

  it('has the deciles as edges, each once, and every row in a bin', () => {
    expect(features['even']).toEqual({
      edges: many(11, (at) => 10 * at),
      counts: [...many(9, () => 10), 11],
      underflow: 0,
      overflow: 0,
      missing: 0,
    });
    expect(features['skewed']).toMatchObject({ edges: [0, 60, 70, 80, 90, 100], counts: [60, 10, 10, 10, 11] });
    expect(features['constant']).toMatchObject({ edges: [7, 7], counts: [101] });
    expect(features['holes']).toMatchObject({ missing: 50 });
    expect(features['absent']).toEqual({ edges: [], counts: [], underflow: 0, overflow: 0, missing: 101 });
    expect(features['zone']).toEqual({ categories: [2, 4], counts: [50, 50], other: 0, missing: 1 });
  });
});

describe('samples', () => {
  const table = tableOf(
    numeric(
      'x',
      many(100, (at) => at),
    ),
  );
  const rows = Uint32Array.from(many(100, (at) => at));
  it('span the answers, and hold what the fitter says', async () => {
    const fitted = await ridge.fit({ table, target: Float64Array.from(rows, (row) => 2 * row) });
    const [sample] = await samplesOf(fitted, table, rows, { rows: 3 });
    expect(sample!.inputs['features']).toEqual({ datatype: 'FP32', shape: [3, 1], data: [0, 50, 99] });
    expect(sample!.outputs['prediction']!.data).toEqual([
      ...(await fitted.predict(table, Uint32Array.from([0, 50, 99]))),
    ]);
  });

  it('of a classifier hold both probabilities', async () => {
    const fitted = await gbdt.fit(
      { table, target: Float64Array.from(rows, (row) => Number(row > 40)) },
      { settings: { objective: 'logistic' } },
    );
    const [sample] = await samplesOf(fitted, table, rows, { rows: 1 });
    const { shape, data } = sample!.outputs['prediction']!;
    expect(shape).toEqual([1, 2]);
    expect((data[0] as number) + (data[1] as number)).toBe(1);
  });
});
