import { describe, expect, it } from 'vitest';
import type { TrainingSet } from '../../table.ts';
import { checkParity } from '../parity.ts';
import { seededRandom } from '../random.ts';
import { categorical, mixedTable, mixedTarget, numeric, tableOf } from '../testing/tables.ts';
import { gbdt } from './gbdt.ts';

const random = seededRandom(11);
const many = (count: number, make: (at: number) => number): number[] =>
  Array.from({ length: count }, (_, at) => make(at));
const mixed = mixedTable(2000, 4);
const set: TrainingSet = { table: mixed.table, target: mixedTarget(mixed) };
const treesOf = (fitted: { describe(): Record<string, unknown> }): number => fitted.describe()['trees'] as number;
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('a right model of little', () => {
  it('a constant target: the constant', async () => {
    const fitted = await gbdt.fit({ ...set, target: new Float64Array(2000).fill(-4.5) });
    expect(treesOf(fitted)).toBe(0);
    expect(new Set(await fitted.predict(set.table))).toEqual(new Set([-4.5]));
    await checkParity(fitted, set.table);
  });

  it.each([
    ['poisson', 0, 0],
    ['logistic', 1, 1],
    ['logistic', 0, 0],
  ])('%s of nothing but %d: about that', async (objective, value, wanted) => {
    const fitted = await gbdt.fit({ ...set, target: new Float64Array(2000).fill(value) }, { settings: { objective } });
    for (const answer of await fitted.predict(set.table)) expect(answer).toBeCloseTo(wanted, 6);
    await checkParity(fitted, set.table);
  });

  it('one row: its target', async () => {
    const fitted = await gbdt.fit({ ...set, rows: Uint32Array.from([17]) });
    const [answer] = await fitted.predict(set.table, Uint32Array.from([3]));
    expect(answer).toBe(Math.fround(set.target[17]!));
    await checkParity(fitted, set.table);
  });

  it('nothing but missing values: the mean', async () => {
    const table = tableOf(
      numeric(
        'x',
        many(100, () => Number.NaN),
      ),
      categorical(
        'c',
        many(100, () => Number.NaN),
      ),
    );
    const fitted = await gbdt.fit({ table, target: Float64Array.from(many(100, (at) => at % 2)) });
    expect(new Set(await fitted.predict(table))).toEqual(new Set([0.5]));
  });
});

describe('data that nothing can be learned from is told', () => {
  const table = tableOf(numeric('x', [1, 2, 3]));
  const target = Float64Array.from([1, 2, 3]);
  it.each<[string, TrainingSet, RegExp, object?]>([
    ['no rows', { table, target, rows: new Uint32Array(0) }, /has no rows/],
    ['no columns', { table: { rows: 3, columns: [] }, target }, /has no columns besides the target/],
    ['a target of NaN', { table, target: Float64Array.from([1, Number.NaN, 3]) }, /no finite number in row 1/],
    ['a target too short', { table, target: new Float64Array(2) }, /has 3 rows, and 2 values of 'target'/],
    ['a negative weight', { table, target, weights: Float64Array.from([1, -1, 1]) }, /has the weight -1 in row 1/],
    ['no weight at all', { table, target, weights: new Float64Array(3) }, /no row whose weight is above 0/],
    ['a row that is not there', { table, target, rows: Uint32Array.from([3]) }, /asked for row 3/],
    ['the same name twice', { table: tableOf(table.columns[0]!, table.columns[0]!), target }, /two columns named 'x'/],
    [
      'negative counts',
      { table, target: Float64Array.from([1, -2, 3]) },
      /never negative; there is -2/,
      { objective: 'poisson' },
    ],
    ['classes other than 0 and 1', { table, target }, /a target of 0 and 1; there is 2/, { objective: 'logistic' }],
  ])('%s', async (_, data, message, settings = {}) => {
    const fit = gbdt.fit(data, { settings: { ...settings } });
    await expect(fit).rejects.toThrow(message);
    await expect(fit).rejects.toMatchObject({ code: 'data-invalid' });
  });

  it.each<[object, RegExp]>([
    [{ tree: 5 }, /Unrecognized key: "tree"/],
    [{ trees: 0, learningRate: 2 }, /trees: .*; learningRate: /],
    [{ monotone: { smoth: 1 } }, /the column 'smoth', which the table does not have: did you mean 'smooth'\?/],
    [{ monotone: { few: 1 } }, /categories without an order/],
  ])('settings %j', async (settings, message) => {
    const fit = gbdt.fit(set, { settings: { ...settings } });
    await expect(fit).rejects.toThrow(message);
    await expect(fit).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

describe('the same seed gives the same bytes', () => {
  const bytesOf = async (seed: number, settings: object = {}): Promise<Uint8Array> =>
    (await gbdt.fit(set, { seed, settings: { trees: 10, ...settings } })).onnx();

  it('whatever is drawn', async () => {
    const drawn = { subsample: 0.5, columnSubsample: 0.5 };
    expect(same(await bytesOf(1, drawn), await bytesOf(1, drawn))).toBe(true);
    expect(same(await bytesOf(1, drawn), await bytesOf(2, drawn))).toBe(false);
  });

  it('and rows by index are the same as a table of those rows alone', async () => {
    const rows = Uint32Array.from(many(1000, (at) => 2 * at));
    const alone = {
      table: {
        rows: 1000,
        columns: set.table.columns.map((c) => ({ ...c, values: c.values.filter((_, row) => row % 2 === 0) })),
      },
      target: set.target.filter((_, row) => row % 2 === 0),
    };
    expect(same((await gbdt.fit({ ...set, rows })).onnx(), (await gbdt.fit(alone)).onnx())).toBe(true);
  });
});

describe('missing values', () => {
  it('go the way that lowers the loss, to either side or apart from all others', async () => {
    const table = tableOf(
      numeric(
        'x',
        many(900, (at) => [0, 1, Number.NaN][at % 3]!),
      ),
    );
    for (const means of [
      [0, 5, 0],
      [0, 5, 5],
      [0, 0, 5],
      [3, 3, 3.5],
    ]) {
      const fitted = await gbdt.fit(
        { table, target: Float64Array.from(many(900, (at) => means[at % 3]!)) },
        { settings: { trees: 200 } },
      );
      const answers = await fitted.predict(table, Uint32Array.from([0, 1, 2]));
      for (const [at, mean] of means.entries()) expect(answers[at]).toBeCloseTo(mean, 4);
      await checkParity(fitted, table);
    }
  });

  it('of a column that had none go the way of most rows', async () => {
    const table = tableOf(
      numeric(
        'x',
        many(400, (at) => Number(at < 100)),
      ),
    );
    const fitted = await gbdt.fit({ table, target: Float64Array.from(many(400, (at) => (at < 100 ? 10 : 1))) });
    const [missing] = await fitted.predict(tableOf(numeric('x', [Number.NaN])));
    expect(missing).toBeCloseTo(1, 3);
  });
});

describe('categories', () => {
  it('sets of many are found that no threshold on codes would part', async () => {
    const codes = many(6000, () => Math.floor(random() * 60));
    const odd = (code: number): number => Number((code * 37) % 60 < 30);
    const target = Float64Array.from(codes, odd);
    const errorOf = async (column: typeof numeric): Promise<number> => {
      const table = tableOf(column('zone', codes));
      const fitted = await gbdt.fit({ table, target }, { settings: { trees: 5, maxLeaves: 4, learningRate: 0.5 } });
      const answers = await fitted.predict(table);
      return answers.reduce((sum, answer, row) => sum + Math.abs(answer - target[row]!), 0) / 6000;
    };
    expect(await errorOf(categorical)).toBeLessThan(0.06);
    expect(await errorOf(numeric)).toBeGreaterThan(0.2);
  });

  it('an unknown one is answered as the rest is', async () => {
    const codes = many(900, (at) => at % 3);
    const table = tableOf(categorical('c', codes));
    const fitted = await gbdt.fit({ table, target: Float64Array.from(codes, (code) => (code === 1 ? 9 : 1)) });
    const [unknown, missing] = await fitted.predict(tableOf(categorical('c', [77, Number.NaN])));
    expect(unknown).toBeCloseTo(1, 3);
    expect(missing).toBeCloseTo(1, 3);
  });
});

describe('monotone constraints hold everywhere', () => {
  it.each([1, -1])('in direction %d', async (direction) => {
    const x = many(1500, random);
    const other = many(1500, random);
    // A noisy target that goes up and down.
    const target = Float64Array.from(x, (value, row) => Math.sin(9 * value) + other[row]! + random());
    const table = tableOf(numeric('x', x), numeric('other', other));
    const answersFor = async (monotone: object): Promise<Float64Array[]> => {
      const fitted = await gbdt.fit({ table, target }, { settings: { monotone, minChildSamples: 5 } });
      return Promise.all(
        [0, 0.3, 0.6, 0.99].map(async (fixed) =>
          fitted.predict(
            tableOf(
              numeric(
                'x',
                many(300, (at) => at / 300),
              ),
              numeric(
                'other',
                many(300, () => fixed),
              ),
            ),
          ),
        ),
      );
    };
    const falls = (lines: Float64Array[]): number =>
      lines.flatMap((line) => [...line].filter((value, at) => at > 0 && direction * (value - line[at - 1]!) < 0))
        .length;
    expect(falls(await answersFor({ x: direction }))).toBe(0);
    expect(falls(await answersFor({}))).toBeGreaterThan(50);
  });
});

describe('weights', () => {
  it('count rows: whole weights are rows that are there several times', async () => {
    const weights = Float64Array.from(many(2000, (at) => at % 3));
    const times = [...weights].flatMap((weight, row) => new Array<number>(weight).fill(row));
    const settings = { trees: 3, minChildSamples: 1, minChildWeight: 20 };
    const [weighted, repeated] = [
      await gbdt.fit({ ...set, weights }, { settings }),
      await gbdt.fit({ ...set, rows: Uint32Array.from(times) }, { settings }),
    ];
    const [one, two] = [await weighted.predict(set.table), await repeated.predict(set.table)];
    const distance = one.reduce((sum, answer, row) => sum + Math.abs(answer - two[row]!), 0) / 2000;
    expect(distance).toBeLessThan(0.05);
  });

  it('of 0 take a row out', async () => {
    const table = tableOf(
      numeric(
        'x',
        many(400, (at) => at % 2),
      ),
    );
    const target = Float64Array.from(many(400, (at) => (at < 200 ? at % 2 : 100)));
    const weights = Float64Array.from(many(400, (at) => Number(at < 200)));
    const fitted = await gbdt.fit({ table, target, weights }, { settings: { trees: 200 } });
    expect((await fitted.predict(table))[1]).toBeCloseTo(1, 3);
  });
});

describe('limits of a tree', () => {
  it.each<[object, number]>([
    [{ maxLeaves: 2 }, 2],
    [{ maxDepth: 1 }, 2],
    [{ maxDepth: 2 }, 4],
    [{ maxLeaves: 7 }, 7],
  ])('%j', async (limits, most) => {
    const fitted = await gbdt.fit(set, { settings: { trees: 1, ...limits } });
    expect(fitted.describe()['leaves']).toBe(most);
  });

  it('each leaf holds enough rows', async () => {
    const fitted = await gbdt.fit(set, { settings: { trees: 1, minChildSamples: 300, maxLeaves: 100 } });
    const answers = await fitted.predict(set.table);
    const counts = Map.groupBy(answers, (answer) => answer);
    expect(counts.size).toBeGreaterThan(2);
    for (const rows of counts.values()) expect(rows.length).toBeGreaterThanOrEqual(300);
  });
});

describe('early stopping', () => {
  const half = (from: number): TrainingSet => ({ ...set, rows: Uint32Array.from(many(1000, (at) => from + at)) });

  it('keeps the trees up to the best loss on the validation part', async () => {
    const options = { settings: { trees: 2000, learningRate: 0.3, earlyStopping: 10 }, validation: half(1000) };
    const losses: number[] = [];
    const fitted = await gbdt.fit(half(0), { ...options, onProgress: ({ loss }) => losses.push(loss!) });
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(treesOf(fitted)).toBe(best);
    expect(losses.length).toBeLessThan(1000);
    expect(fitted.describe()['validationLoss']).toBe(losses[best - 1]);
  });

  it('a target that cannot be foretold ends with few trees, or none', async () => {
    const noise = Float64Array.from(many(2000, random));
    const fitted = await gbdt.fit({ ...half(0), target: noise }, { validation: { ...half(1000), target: noise } });
    expect(treesOf(fitted)).toBeLessThan(10);
  });
});

it('a rare large count does not make a Poisson model overshoot', async () => {
  const table = tableOf(
    numeric(
      'x',
      many(4000, (at) => at % 100),
    ),
  );
  const target = Float64Array.from(many(4000, (at) => (at % 100 === 0 ? 1e6 : 0)));
  const fitted = await gbdt.fit({ table, target }, { settings: { objective: 'poisson' } });
  const answers = await fitted.predict(table);
  expect(Math.max(...answers)).toBeLessThan(1.5e6);
  expect(answers[1]).toBeLessThan(1e3);
});

it('an abort ends a fit under way, and progress is told', async () => {
  const stop = new AbortController();
  const done: number[] = [];
  const fit = gbdt.fit(set, {
    signal: stop.signal,
    onProgress: (progress) => {
      done.push(progress.done);
      if (progress.done === 3) stop.abort(new Error('enough'));
    },
  });
  await expect(fit).rejects.toThrow('enough');
  expect(done).toEqual([1, 2, 3]);
});
