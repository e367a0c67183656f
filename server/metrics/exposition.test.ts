import { expect, it } from 'vitest';
import { counter, expose, type Family, gauge, histogram, labelsOf } from './exposition.ts';

async function textOf(families: readonly Family[], turn: () => Promise<void> = async () => undefined): Promise<string> {
  let text = '';
  for await (const slice of expose(families, turn)) text += slice;
  return text;
}

it('writes families as the text format has them', async () => {
  const of = labelsOf({ model: 'm', version: '1' });
  const text = await textOf([
    gauge('g', 'A gauge', () => [['', 0.5]]),
    counter('c_total', 'A counter', () => [
      [of, 3],
      [`${of},code="200"`, 4],
    ]),
    histogram('h', 'A histogram', [0.1, 1], () => [
      ['', { counts: [1, 0, 2], sum: 7.5 }],
      [of, { counts: [0, 1 / 3 + 2 / 3, 0], sum: 1 }],
    ]),
  ]);
  expect(text).toBe(`# HELP g A gauge
# TYPE g gauge
g 0.5

# HELP c_total A counter
# TYPE c_total counter
c_total{model="m",version="1"} 3
c_total{model="m",version="1",code="200"} 4

# HELP h A histogram
# TYPE h histogram
h_bucket{le="0.1"} 1
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 3
h_sum 7.5
h_count 3
h_bucket{model="m",version="1",le="0.1"} 0
h_bucket{model="m",version="1",le="1"} 1
h_bucket{model="m",version="1",le="+Inf"} 1
h_sum{model="m",version="1"} 1
h_count{model="m",version="1"} 1

`);
});

it('escapes values of labels', () =>
  expect(labelsOf({ a: 'back\\slash "quoted"\nline' })).toBe('a="back\\\\slash \\"quoted\\"\\nline"'));

it('lets others have their turn between slices of thousands of series', async () => {
  let turns = 0;
  function* many(): Iterable<readonly [string, number]> {
    for (let index = 0; index < 20_000; index += 1) yield [labelsOf({ model: `model-${index}` }), index];
  }
  const text = await textOf([gauge('g', 'Many', many)], async () => {
    turns += 1;
  });
  const lines = text.split('\n');
  expect([lines.length, lines[20_001]]).toEqual([20_000 + 4, 'g{model="model-19999"} 19999']);
  expect([turns >= 8, turns <= 12]).toEqual([true, true]);
});
