import { describe, expect, it } from 'vitest';
import { judge, readAssertions } from './assertions.ts';
import { compare } from './compare.ts';
import { renderReport } from './html.ts';
import { readRecord } from './read-record.ts';
import type { RunRecord, Waking, ZeroRecord } from './record.ts';
import { type HandTick, handmade, handmadeScaling, rates } from './testing/handmade.ts';
import { firstAnswersOf } from './zero.ts';

/** Asleep, asked for 8 s of KEDA's clock after the first request, and answered 16 s of the run later: 2 s of the wall. */
const WAKING: Waking = { at: 10, activated: 18, ready: 30, answered: 34, held: 3 };

function run(wakings: readonly Waking[], more: Partial<ZeroRecord> = {}, compression = 8): RunRecord {
  const ticks: HandTick[] = [
    [0, 0, 0],
    [18, 1, 0],
    [60, 0, 1],
    [65, 0, 0],
  ];
  const zero = {
    held: [
      [10, 3],
      [30, 0],
    ] as const,
    most: 3,
    rejected: 0,
    expired: 0,
    startDelay: 0,
    wakings,
    ...more,
  };
  const base = handmadeScaling(ticks, { min: 0 });
  const scaling = {
    ...base,
    ticks: base.ticks.map((tick) => (tick.at === 18 ? { ...tick, keda: 'KEDAScaleTargetActivated' } : tick)),
    zero,
  };
  return handmade(rates([10, 0], [40, 5], [50, 0]), { kind: 'autoscale', compression, scaling });
}

describe('how long a client waits after there was no pod', () => {
  it.each<[string, Waking, number, Partial<ZeroRecord>, object]>([
    ['as it was, where time is not compressed', WAKING, 1, {}, { asked: 8, started: 16, total: 24, wall: 24 }],
    ["with KEDA's part at its full length", WAKING, 8, {}, { asked: 8, started: 2, total: 10, wall: 3 }],
    ['and what was declared of a start', WAKING, 8, { startDelay: 8 }, { asked: 8, started: 9, total: 17, wall: 3 }],
    [
      'where a pod came by itself',
      { at: 10, ready: 17, answered: 18, held: 1 },
      8,
      { startDelay: 8 },
      { asked: 0, started: 1, total: 1, wall: 1 },
    ],
  ])('%s', (_, waking, compression, more, wanted) =>
    expect(firstAnswersOf(run([waking], more, compression))).toEqual([{ waking, ...wanted }]),
  );

  it('is told of what was answered only', () =>
    expect(firstAnswersOf(run([{ at: 10, activated: 18, held: 3 }, WAKING]))).toHaveLength(1));
});

describe('first_answer_within_ms', () => {
  const verdict = (record: RunRecord, limit = 10_000) =>
    judge(record, readAssertions(`first_answer_within_ms: ${limit}`, 'test'))[0]!;

  it('counts the slowest, and tells where its time went', () => {
    const quick = { at: 40, activated: 41, ready: 44, answered: 49, held: 1 };
    expect(verdict(run([quick, WAKING]))).toEqual({
      assertion: 'first_answer_within_ms: 10000',
      holds: true,
      measured:
        '10 s at 10 s: 8 s until KEDA asked for a pod, 2 s for its start and the answer; on the wall of this run it was 3 s',
    });
    expect(verdict(run([WAKING]), 9_999)).toMatchObject({
      holds: false,
      advice: expect.stringContaining('pollingInterval'),
    });
    expect(verdict(run([WAKING], {}, 1), 1_000).advice).toContain('kedge bench coldstart');
  });

  it.each<[string, RunRecord, RegExp, RegExp]>([
    ['nothing was held', run([]), /no request came while no pod was ready/, /a load that pauses/],
    [
      'nothing is known of holding',
      handmade(rates([5, 1]), { scaling: handmadeScaling([[0, 1, 1]]) }),
      /no request came/,
      /goes to zero/,
    ],
    [
      'a pod was asked for in vain',
      run([{ at: 10, activated: 18, held: 3 }]),
      /none to what came at 10 s/,
      /did not answer in time/,
    ],
    ['none was asked for', run([{ at: 50, held: 3 }]), /none to what came at 50 s/, /activationThreshold/],
  ])('does not hold where %s', (_, record, measured, advice) =>
    expect(verdict(record)).toMatchObject({
      holds: false,
      measured: expect.stringMatching(measured),
      advice: expect.stringMatching(advice),
    }),
  );
});

it.each([
  [{ rejected: 2, expired: 1 }, /not held until one was \(503 \(4\)\): hold more/],
  [{ rejected: 1 }, /the replicas were full/],
])('what was not held is told of where most failed of it: %j', (more, advice) => {
  const { load } = handmade([{ scheduled: 10, failed: 4 }]);
  const [verdict] = judge({ ...run([WAKING], more), load }, readAssertions('max_error_rate: 0', 'test'));
  expect(verdict!.advice).toMatch(advice);
});

it('a run to zero comes back to it', () => {
  const [verdict] = judge(run([WAKING]), readAssertions('returns_to_min_within_s: 20', 'test'));
  expect(verdict).toMatchObject({ holds: true });
});

it('stands in the record and in the report', () => {
  const record = run([WAKING], { rejected: 2 });
  expect(readRecord(JSON.stringify(record), 'run.json')).toEqual(record);
  const page = renderReport(record);
  expect(page).toMatch(/First answer from zero<\/dt><dd>10 s/);
  expect(page).toContain('Held while no pod was ready');
  expect(page).toContain('KEDAScaleTargetActivated: KEDA asked for a pod');
  expect(page).toContain('2 requests answered with 503');
  expect(page).toMatch(/<th scope="row">10 s<\/th><td>3<\/td><td>8 s<\/td><td>2 s<\/td><td>10 s<\/td><td>3 s<\/td>/);
});

it('stands beside another run', () => {
  const row = compare(run([WAKING]), run([WAKING], {}, 1)).rows.find(({ name }) => name.includes('from zero'));
  expect(row).toMatchObject({ one: '10 s', other: '24 s', change: 'better' });
});

it('is not in the report of a run that holds nothing', () => {
  const page = renderReport(handmade(rates([5, 1]), { scaling: handmadeScaling([[0, 1, 1]]) }));
  expect(page).not.toMatch(/Held while no pod|from zero|KEDA/);
});
