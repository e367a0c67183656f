import { describe, expect, it } from 'vitest';
import { seededRandom } from '../fit/random.ts';
import type { Table } from '../table.ts';
import { baselineOf } from './baseline.ts';
import { driftBaselineOf, driftedFeatures, readDriftBaseline } from './drift.ts';
import { binsOf, countsAmong, countsOf, psi } from './psi.ts';

const HOUR = 3600;
const DAY = 24;

describe('the population stability index', () => {
  it.each<[string, number[], number[], number]>([
    ['of the same shares', [10, 20, 70], [1, 2, 7], 0],
    // (0.75 - 0.5) ln(0.75 / 0.5) + (0.25 - 0.5) ln(0.25 / 0.5)
    ['of two bins', [50, 50], [75, 25], 0.25 * Math.log(1.5) + 0.25 * Math.log(2)],
    ['in the other direction', [75, 25], [50, 50], 0.25 * Math.log(1.5) + 0.25 * Math.log(2)],
    ['with a bin that was empty', [100, 0], [50, 50], 0.5 * Math.log(2) + (0.5 - 1e-4) * Math.log(0.5 / 1e-4)],
  ])('%s', (_, expected, actual, want) => expect(psi(expected, actual)).toBeCloseTo(want, 12));

  it('of nothing is no number', () =>
    expect([psi([0, 0], [1, 1]), psi([1, 1], [0, 0])]).toEqual([Number.NaN, Number.NaN]));

  const baseline = (values: number[], kind: 'numeric' | 'categorical' = 'numeric') =>
    baselineOf({
      table: { rows: values.length, columns: [{ name: 'x', kind, values: Float64Array.from(values) }] },
      target: new Float64Array(values.length),
    }).features['x']!;
  const among = (of: ReturnType<typeof baseline>, values: number[]): number[] => {
    const rows = Uint32Array.from(values, (_, at) => at);
    return [...countsAmong(of, binsOf(of, { values: Float64Array.from(values) }, rows))];
  };

  it('counts a baseline in its own bins as it was counted', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 500 }, (_, at) => (at % 50 === 0 ? Number.NaN : random() * 10));
    const numeric = baseline(values);
    expect(among(numeric, values)).toEqual(countsOf(numeric));
    const codes = values.map((value) => Math.floor(value));
    const categorical = baseline(codes, 'categorical');
    expect(among(categorical, codes)).toEqual(countsOf(categorical));
  });

  it.each<[string, ReturnType<typeof baseline>, number[], number[]]>([
    // Underflow, the bin from 7 to 7, overflow, missing.
    ['a single value', baseline([7, 7]), [6, 7, 7, 8, Number.NaN], [1, 2, 1, 1]],
    ['no value at all', baseline([Number.NaN]), [1, Number.NaN], [0, 1, 1]],
    ['edges', baseline([0, 1]), [-1, 0, 0.5, 1, 2], [1, 3, 1, 0]],
    ['categories', baseline([2, 5], 'categorical'), [5, 3, Number.NaN], [0, 1, 1, 1]],
  ])('has a place for what is beside %s', (_, of, values, want) => expect(among(of, values)).toEqual(want));
});

describe('features that drift', () => {
  const random = seededRandom(11);
  /** About a normal one with deviation 1. */
  const noise = (): number => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
  type Value = (hour: number) => number;
  const steady: Value = () => noise();
  const VALUES: Record<string, Value> = {
    steady,
    hour: (hour) => hour % DAY,
    trend: (hour) => hour,
    season: (hour) => Math.sin((2 * Math.PI * hour) / (365 * DAY)) + 0.1 * noise(),
    known: (hour) => (hour % 10 === 0 ? Number.NaN : noise()),
  };
  const HOURS = 500 * DAY;
  const tableOf = (values: Record<string, Value>, from: number, hours: number): Table => ({
    rows: hours,
    columns: Object.entries(values).map(([name, value]) => ({
      name,
      kind: 'numeric',
      values: Float64Array.from({ length: hours }, (_, at) => value(from + at)),
    })),
  });
  const learned = (hours = HOURS) =>
    driftBaselineOf(
      {
        table: tableOf(VALUES, 0, hours),
        target: new Float64Array(hours),
        times: Float64Array.from({ length: hours }, (_, hour) => hour * HOUR),
      },
      14,
    );
  const baseline = learned();
  const drifted = (change: Record<string, Value> = {}, of = baseline, hours = 14 * DAY) =>
    driftedFeatures(of, tableOf({ ...VALUES, ...change }, HOURS, hours)).map(
      ({ feature, what }) => `${feature}: ${what}`,
    );

  it.each<[string, Record<string, Value>, string[]]>([
    ['nothing where all goes on', {}, []],
    ['one that moved by its deviation', { steady: () => noise() + 1 }, ['steady: values']],
    ['nothing where it moved a little', { steady: () => noise() + 0.2 }, []],
    ['one that is spread wider', { steady: () => 2 * noise() }, ['steady: values']],
    ['one that stands still', { steady: () => 0 }, ['steady: values']],
    ['one that is no longer known', { steady: () => Number.NaN }, ['steady: missing']],
    ['a clock that is wrong', { hour: (hour) => (hour % DAY) / 2 }, ['hour: values']],
    ['no trend and no season, wherever they are', { trend: () => -5, season: () => 3 }, []],
    ['a season that is no longer known', { season: () => Number.NaN }, ['season: missing']],
    ['nothing where as much is missing as ever', { known: (hour) => (hour % 9 === 0 ? Number.NaN : noise()) }, []],
    ['one of which more is missing', { known: (hour) => (hour % 2 === 0 ? Number.NaN : noise()) }, ['known: missing']],
    ['nothing where less is missing', { known: noise }, []],
  ])('tells of %s', (_, change, want) => expect(drifted(change)).toEqual(want));

  it('are sorted, the one that strayed furthest first', () =>
    expect(drifted({ steady: () => noise() + 1, hour: () => 3 })).toEqual(['hour: values', 'steady: values']));

  it('are not told of by a few rows', () => expect(drifted({ steady: () => 9 }, baseline, 199)).toEqual([]));

  it('count by what is missing alone where their past is too short to know what is usual', () => {
    const short = learned(100 * DAY);
    expect(Object.values(short.features).map(({ usual }) => usual)).toEqual(Object.keys(VALUES).map(() => undefined));
    expect(drifted({ steady: () => 9, hour: () => Number.NaN }, short)).toEqual(['hour: missing']);
  });

  it('are read from a manifest, if it says what is needed', () => {
    expect(readDriftBaseline(JSON.parse(JSON.stringify(baseline)))).toEqual(baseline);
    for (const other of [undefined, {}, { features: baseline.features }, { days: 14, features: { x: { edges: [1] } } }])
      expect(readDriftBaseline(other)).toBeUndefined();
  });

  it('that a model never had are passed over', () => expect(drifted({ other: () => 1 })).toEqual([]));
});
