import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import type { RunRecord } from './record.ts';
import { exampleRecord } from './testing/example.ts';
import { handmade, rates } from './testing/handmade.ts';

const row = (one: RunRecord, other: RunRecord, name: string) =>
  compare(one, other).rows.find((found) => found.name === name);
const slow = (p99: number): RunRecord => {
  const record = handmade(rates([10, 10]));
  return handmade(rates([10, 10]), { total: { latency: { ...record.load.total.latency!, p99 } } });
};

describe('a figure', () => {
  it.each([
    [10_000, 20_000, '−50 %', 'better'],
    [20_000, 10_000, '+100 %', 'worse'],
    [10_400, 10_000, '+4 %', undefined],
    [10_000, 10_000, 'equal', undefined],
    [10_001, 10_000, 'equal', undefined],
  ])('p99 of %d, and %d before: %s, %s', (one, other, difference, change) => {
    expect(row(slow(one), slow(other), 'p99 latency')).toEqual({
      name: 'p99 latency',
      one: `${one / 1_000 === 10.001 ? 10 : one / 1_000} ms`,
      other: `${other / 1_000} ms`,
      difference,
      ...(change === undefined ? {} : { change }),
    });
  });

  it('more throughput is better, more of the load is neither', () => {
    const [fast, half] = [handmade(rates([10, 20])), handmade(rates([10, 10]))];
    expect(row(fast, half, 'answered rightly')).toMatchObject({ one: '20/s', other: '10/s', change: 'better' });
    expect(row(fast, half, 'scheduled')).toEqual({
      name: 'scheduled',
      one: '20/s',
      other: '10/s',
      difference: '+100 %',
    });
  });

  it('throughput counts until the last answer was in', () => {
    const late = (answeredSeconds: number) => handmade(rates([3, 60]), { total: { answeredSeconds } });
    expect(row(late(9), late(2.9), 'answered rightly')).toMatchObject({ one: '20/s', other: '60/s', change: 'worse' });
    expect(row(late(9), late(2.9), 'scheduled')).toMatchObject({ one: '60/s', difference: 'equal' });
    const rest = handmade(rates([3, 60], [10, 0]), { total: { answeredSeconds: 9 }, compression: 0.5 });
    expect(row(rest, late(2), 'answered rightly')).toMatchObject({ one: '20/s' });
  });

  it('errors where there were none have no ratio, and are worse', () => {
    const [bad, good] = [handmade([{ failed: 5 }]), handmade([{}])];
    expect(row(bad, good, 'not answered rightly')).toMatchObject({ difference: 'not 0 any more', change: 'worse' });
    expect(row(good, bad, 'not answered rightly')).toMatchObject({ difference: '−100 %', change: 'better' });
  });

  it('that only one has is told without a difference; that neither has is left out', () => {
    const load = handmade(rates([10, 10]));
    const scaled = exampleRecord({ seconds: 60 });
    expect(row(scaled, load, 'most replicas ready')).toMatchObject({ other: '–', difference: '–' });
    expect(row(load, load, 'most replicas ready')).toBeUndefined();
    expect(row(handmade([]), handmade([]), 'scheduled')).toBeUndefined();
  });
});

it('verdicts that differ are told, and those of one run alone are no gain', () => {
  const judged = (...verdicts: [string, boolean][]): RunRecord => ({
    ...handmade([{}]),
    verdicts: verdicts.map(([assertion, holds]) => ({ assertion, holds, measured: '' })),
  });
  const { rows } = compare(
    judged(['a: 1', true], ['b: 1', true], ['c: 1', true]),
    judged(['a: 1', false], ['b: 1', true]),
  );
  expect(rows.filter(({ name }) => name.endsWith(': 1'))).toEqual([
    { name: 'a: 1', one: 'holds', other: 'fails', difference: 'verdict differs', change: 'better' },
    { name: 'c: 1', one: 'holds', other: 'not asserted', difference: 'verdict differs' },
  ]);
});

it('other machines, settings and policies make it unfair; another commit is what is compared', () => {
  const one = exampleRecord({ seconds: 60 });
  expect(compare(one, one)).toMatchObject({ unfair: [], code: [] });
  const other: RunRecord = {
    ...one,
    compression: 6,
    machine: { ...one.machine, cores: 8, commit: 'fedcba987654', kedge: '1.1.0' },
    settings: { ...one.settings, seed: 2, more: true, json: 'b.json' },
    scaling: { ...one.scaling!, policy: { ...one.scaling!.policy, maxReplicas: 20 } },
  };
  expect(compare(one, other)).toMatchObject({
    unfair: [
      'cores: 2, and 8 in the other run',
      'seconds of its clock for one: 1, and 6 in the other run',
      'setting seed: 1, and 2 in the other run',
      'replicas allowed: 1 to 10, and 1 to 20 in the other run',
      'setting more: not known, and true in the other run',
    ],
    code: ['Kedge: 1.0.0, and 1.1.0 in the other run', 'commit: 0123456789ab, and fedcba987654 in the other run'],
  });
});
