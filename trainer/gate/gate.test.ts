import { describe, expect, it } from 'vitest';
import { seededRandom } from '../fit/random.ts';
import { lowerBound } from './bootstrap.ts';
import { type Evidence, GATE_DEFAULTS, judge } from './judge.ts';
import { lossesOf } from './loss.ts';

const ROWS = 24 * 14;
const noise = seededRandom(7);
/** Sum of 12 uniform numbers less 6: about a standard normal one. */
const normal = (): number => Array.from({ length: 12 }, noise).reduce((sum, value) => sum + value, -6);
const target = Float64Array.from({ length: ROWS }, (_, hour) => 20 + 10 * Math.sin((hour * Math.PI) / 12) + normal());
const off = (by: number): Float64Array => target.map((value) => value + by * normal());

function evidenceOf(more: Partial<Evidence> = {}): Evidence {
  const fitted = more.fitted ?? off(2);
  return { target, naive: off(4), fitted, challenger: Float32Array.from(fitted), runMs: 1, bytes: 1000, ...more };
}
const codes = (evidence: Evidence, rules = GATE_DEFAULTS): string[] =>
  judge(evidence, rules, 1).reasons.map(({ code }) => code);
const against = (answers: ArrayLike<number>): Partial<Evidence> => ({ champion: { version: 7, answers } });

describe('the gate', () => {
  const good = off(2);
  it.each<[string, Evidence, string[]]>([
    ['a good challenger without a champion', evidenceOf(), []],
    ['one better than the champion', evidenceOf(against(off(3))), []],
    ['one equal to the champion', evidenceOf({ fitted: good, ...against(good) }), []],
    ['one much worse than the champion', evidenceOf(against(off(1))), ['worse-than-champion']],
    ['a champion that answers no numbers', evidenceOf(against(target.map(() => Number.NaN))), ['worse-than-champion']],
    ['one no better than the rule of thumb', evidenceOf({ naive: off(1) }), ['not-better-than-naive']],
    ['an export that is another model', evidenceOf({ challenger: good.map((v) => v + 0.1), fitted: good }), ['parity']],
    [
      'an export with one row that is no number',
      evidenceOf({ fitted: good, challenger: good.with(9, Number.NaN) }),
      ['parity', 'not-better-than-naive'],
    ],
    [
      'an export that answers fewer rows',
      evidenceOf({ fitted: good, challenger: good.subarray(1) }),
      ['parity', 'not-better-than-naive'],
    ],
    ['a slow one', evidenceOf({ runMs: 51 }), ['latency']],
    ['one whose time is not known', evidenceOf({ runMs: Number.NaN }), ['latency']],
    ['a large one', evidenceOf({ bytes: 2 ** 40 }), ['size']],
  ])('%s', (_, evidence, expected) => expect(codes(evidence)).toEqual(expected));

  it('judges nothing by a few rows', () => {
    const few = evidenceOf();
    const cut = (values: ArrayLike<number>) => Float64Array.from(values).subarray(0, 23);
    const evidence = {
      ...few,
      target: cut(target),
      naive: cut(few.naive),
      fitted: cut(few.fitted),
      challenger: cut(few.challenger),
    };
    expect(codes(evidence)).toEqual(['held-out-few']);
  });

  it('takes a constant target: a model that is right, beside a rule that is right', () => {
    const constant = target.map(() => 5);
    const rounded = constant.map(() => 5 + 4e-7);
    const evidence = { ...evidenceOf({ fitted: rounded, ...against(constant) }), target: constant, naive: constant };
    expect(codes(evidence)).toEqual([]);
  });

  it('force helps against scores and budgets, and not against a broken model', () => {
    expect(judge(evidenceOf({ ...against(off(1)), runMs: 99 }), GATE_DEFAULTS, 1).fatal).toBe(false);
    expect(judge(evidenceOf({ fitted: good, challenger: off(2) }), GATE_DEFAULTS, 1).fatal).toBe(true);
  });

  it('allows what the margin allows', () => {
    const champion = good.map((value, row) => value + (target[row]! - value) * 0.1);
    const evidence = evidenceOf({ fitted: good, ...against(champion) });
    expect(codes(evidence)).toEqual(['worse-than-champion']);
    expect(codes(evidence, { ...GATE_DEFAULTS, margin: 0.12 })).toEqual([]);
    expect(judge(evidence, GATE_DEFAULTS, 1).gain!.mean).toBeCloseTo(-1 / 9, 5);
  });

  it('says the same for the same seed', () => {
    const evidence = evidenceOf(against(off(2)));
    expect(judge(evidence, GATE_DEFAULTS, 3)).toEqual(judge(evidence, GATE_DEFAULTS, 3));
  });
});

describe('the bootstrap bound', () => {
  const options = { resamples: 2000, block: 1, confidence: 0.95, seed: 1 };
  it('of independent rows is that of the normal distribution', () => {
    const values = Float64Array.from({ length: 2000 }, normal);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(lowerBound(values, options)).toBeCloseTo(mean - (1.645 * deviation) / Math.sqrt(values.length), 2);
  });

  it('is wider by the square root of the length for rows that come in equal blocks', () => {
    const blocks = Float64Array.from({ length: 100 }, normal);
    const values = Float64Array.from({ length: 2400 }, (_, row) => blocks[Math.floor(row / 24)]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const width = (block: number): number => mean - lowerBound(values, { ...options, block });
    expect(width(24) / width(1)).toBeGreaterThan(3);
    expect(width(24) / width(1)).toBeLessThan(6);
  });

  it('covers the true mean about as often as it says', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const values = Float64Array.from({ length: 100 }, normal);
      if (lowerBound(values, { ...options, resamples: 300, confidence: 0.9, seed: trial }) <= 0) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.83);
    expect(covered / 200).toBeLessThan(0.97);
  });

  it('of one row, and of blocks longer than all rows, is the mean', () => {
    expect(lowerBound(Float64Array.of(3), options)).toBe(3);
    expect(lowerBound(Float64Array.of(1, 2, 3), { ...options, block: 99 })).toBe(2);
  });
});

it('losses by row', () => {
  const answers = [2, 1, 1];
  expect([...lossesOf('absolute', Float64Array.of(1, 1, 0), answers)]).toEqual([1, 0, 1]);
  expect([...lossesOf('squared', Float64Array.of(4, 1, 0), answers)]).toEqual([4, 0, 1]);
  expect(lossesOf('poisson', Float64Array.of(1, 1, 0), answers)[0]).toBeCloseTo(2 * (Math.log(0.5) + 1), 12);
});
