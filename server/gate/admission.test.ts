import { describe, expect, it } from 'vitest';
import { judgeLoad, type LoadAsk, type LoadFacts } from './admission.ts';
import { fairFinishMs, nextRowCost } from './cost.ts';

const LIMITS = { queueRows: 100, queueMs: 500 };
const ASK: LoadAsk = { rows: 1, leftMs: undefined };
const IDLE: LoadFacts = { rowsAhead: 0, rowMs: 1, othersMs: [], aroundMs: 0 };

describe('a request is', () => {
  it.each<[string, Partial<LoadAsk>, Partial<LoadFacts>]>([
    ['taken when nothing waits', {}, {}],
    ['taken when nothing waits, however large', { rows: 1_000 }, {}],
    ['taken up to the last row', { rows: 50 }, { rowsAhead: 50 }],
    ['taken when it ends just in time', { rows: 5, leftMs: 15 }, { rowsAhead: 10 }],
    ['taken when nobody knows what a row costs', { leftMs: 1 }, { rowsAhead: 90, rowMs: undefined }],
    [
      'taken between the parts of large ones',
      { leftMs: 45 },
      { rowsAhead: 90, rowMs: 10, partedAhead: { requests: 1, rows: 89 } },
    ],
    ['taken beside others that take their turns', { leftMs: 4 }, { rowsAhead: 1, othersMs: [1_000] }],
  ])('%s', (_title, ask, facts) =>
    expect(judgeLoad({ ...ASK, ...ask }, { ...IDLE, ...facts }, LIMITS)).toBeUndefined(),
  );

  it.each<[string, string, number, Partial<LoadAsk>, Partial<LoadFacts>]>([
    ['beyond the rows', 'rows', 50, { rows: 51 }, { rowsAhead: 50 }],
    ['behind too much', 'wait', 20, {}, { rowsAhead: 52, rowMs: 10 }],
    ['too late by the rows before it', 'deadline', 1, { leftMs: 10 }, { rowsAhead: 10 }],
    ['too late by its own rows', 'deadline', 10, { rows: 20, leftMs: 10 }, {}],
    ['too late by the turns of others', 'deadline', 1, { leftMs: 3 }, { rowsAhead: 1, othersMs: [1_000] }],
    ['too late by what is around the runs', 'deadline', 2, { leftMs: 10 }, { rowsAhead: 9, aroundMs: 2 }],
    [
      'too late by the parts of large ones',
      'deadline',
      30,
      { leftMs: 30 },
      { rowsAhead: 90, rowMs: 5, partedAhead: { requests: 2, rows: 89 } },
    ],
    ['late already', 'deadline', 0, { leftMs: 0 }, { rowMs: undefined }],
  ])('refused %s', (_title, reason, retryMs, ask, facts) =>
    expect(judgeLoad({ ...ASK, ...ask }, { ...IDLE, ...facts }, LIMITS)).toEqual({ reason, retryMs }),
  );
});

describe('the cost of a row', () => {
  it('is what the first run shows', () => expect(nextRowCost(undefined, 10, 5, 1)).toBe(2));
  it('follows later runs', () => {
    let cost: number | undefined;
    for (const runMs of [10, 20, 20, 20, 20, 20, 20, 20]) cost = nextRowCost(cost, runMs, 10, 1);
    expect(cost).toBeGreaterThan(1.9);
    expect(cost).toBeLessThan(2);
  });
  it('weighs a run once, however many requests tell of it', () => {
    let told = 1;
    for (let request = 0; request < 4; request += 1) told = nextRowCost(told, 80, 40, 4);
    expect(told).toBeCloseTo(nextRowCost(1, 80, 40, 1), 1);
  });
  it('bears a run without rows', () => expect(nextRowCost(undefined, 3, 0, 1)).toBe(3));
});

it.each([
  [10, [], 10],
  [10, [3], 13],
  [10, [100], 20],
  [10, [100, 4, 0], 24],
  [0, [100], 0],
])('work of %d ms beside %j ends after %d ms', (own, others, finish) => expect(fairFinishMs(own, others)).toBe(finish));
