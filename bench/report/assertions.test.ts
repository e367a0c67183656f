import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeAssertions, judge, readAssertions } from './assertions.ts';
import { renderReport } from './html.ts';
import { readRecord } from './read-record.ts';
import type { RunRecord } from './record.ts';
import { handmade, rates } from './testing/handmade.ts';

describe('what is refused', () => {
  const messageOf = (text: string): string => {
    try {
      readAssertions(text, 'a.yaml');
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };

  it('is named all at once, with its line and what was meant, and with all that is known', () => {
    const message = messageOf('max_error_rte: 0\np99_ms: -5\nmax_ms:\nno_flapping: {window: 3}\nmax_wrong: 0\n');
    expect(message).toContain("line 1: there is no assertion 'max_error_rte'; did you mean max_error_rate?");
    expect(message).toContain('line 2: p99_ms takes milliseconds over 0, and not -5');
    expect(message).toContain('line 3: max_ms takes milliseconds over 0, and not nothing');
    expect(message).toContain(
      'line 4: no_flapping takes true, or { window_s: seconds, allowed: times }, and not {"window":3}',
    );
    expect(message).not.toContain('line 5');
    expect(message).toMatch(/Known are: .*scale_up_within_s/);
  });

  it.each([
    ['', 'must map at least one assertion'],
    ['- max_wrong: 0', 'must map at least one assertion'],
    ['max_wrong: [0', 'line 1: Flow sequence'],
    ['max_wrong: 0\nmax_wrong: 1', 'line 2: Map keys must be unique'],
    ['max_error_rate: 1 %', 'max_error_rate takes a share from 0 to 1 (0.01 is 1 %), and not "1 %"'],
    ['max_error_rate: .inf', 'max_error_rate takes a share'],
    ['toString: 1', "there is no assertion 'toString'"],
    ['max_wrong: 0.5', 'max_wrong takes a whole number'],
    ['no_flapping: false', 'no_flapping takes true'],
    ['answered_by: []', 'answered_by takes a list'],
  ])('%j', (text, problem) => expect(messageOf(text)).toContain(problem));
});

it('comments, order and form of an assertion are free, and its text is one line', () => {
  const written =
    'p99_ms: 50 # as promised\nworst_second_p99_ms:\n  at_most: 80\n  after_s: 5\nanswered_by:\n  - m/1\n';
  expect(readAssertions(written, 'a.yaml').map(({ text }) => text)).toEqual([
    'p99_ms: 50',
    'worst_second_p99_ms: { at_most: 80, after_s: 5 }',
    'answered_by: [ m/1 ]',
  ]);
});

const only = (text: string, record: RunRecord) => judge(record, readAssertions(text, 'a.yaml'))[0]!;
type Row = [text: string, what: string, record: RunRecord, holds: boolean, measured: string];

const quiet = handmade([]);
const fine = handmade(rates([10, 10]));
/** 60 a second for 3 s, of a server that answers 20 a second. */
const slow = handmade(rates([3, 60]), { total: { answeredSeconds: 9 } });
const refused = handmade([{}, { failed: 3 }, { wrong: 1 }, { dropped: 2 }, {}]);

describe('of the load', () => {
  it.each<Row>([
    ['max_error_rate: 0', 'a run without any', fine, true, '0 %: 0 of 100'],
    ['max_error_rate: 0', 'one with each kind', refused, false, '12 %: 6 of 50 (3 failed, 1 wrong, 2 dropped)'],
    ['max_error_rate: 0.12', 'as much as allowed', refused, true, '12 %'],
    ['max_error_rate: 1', 'a run without requests', quiet, false, 'no request was scheduled'],
    ['max_wrong: 0', 'one', refused, false, '1 wrong answer'],
    ['max_wrong: 1', 'one', refused, true, '1 wrong answer'],
    ['max_dropped_rate: 0.04', 'as much as allowed', refused, true, '4 %: 2 of 50'],
    ['max_dropped_rate: 0.039', 'more', refused, false, '4 %: 2 of 50'],
    ['p99_ms: 20', 'as much as allowed', fine, true, '20 ms'],
    ['p99_ms: 19.9', 'more', fine, false, '20 ms'],
    ['p50_ms: 5', 'the median', fine, true, '5 ms'],
    ['p90_ms: 7', 'the 90th', fine, false, '8 ms'],
    ['p999_ms: 29', 'the 99.9th', fine, false, '30 ms'],
    ['max_ms: 40', 'the longest', fine, true, '40 ms'],
    ['p99_ms: 20', 'no answer at all', handmade([{ failed: 10 }]), false, 'nothing was answered with status 200'],
    ['worst_second_p99_ms: 20', 'all equal', fine, true, '20 ms at 0 s'],
    ['min_throughput: 10', 'as much as wanted', fine, true, '10 a second; 10 were scheduled'],
    ['min_throughput: 10', 'less', refused, false, '8.8 a second; 10 were scheduled'],
    [
      'min_throughput: 20',
      'as a slow server has it',
      slow,
      true,
      '20 a second; 60 were scheduled, and the last was in 6 s',
    ],
    ['min_throughput: 21', 'less than the load', slow, false, '20 a second'],
    ['min_throughput: 10', 'with rests, which do not count', handmade(rates([5, 20], [50, 0])), true, '20 a second'],
    ['min_throughput: 60', 'in compressed time, as the wall counts', { ...fine, compression: 6 }, true, '60 a second'],
    ['min_requests: 100', 'as many', fine, true, '100 requests'],
    ['min_requests: 101', 'fewer', fine, false, '100 requests'],
    ['min_requests: 1', 'none', quiet, false, '0 requests'],
    ['max_behind_ms: 0.48', 'as much as allowed', fine, true, '0.48 ms'],
    ['max_behind_ms: 0.4', 'more', fine, false, '0.48 ms'],
    ['max_outage_s: 0', 'never', refused, true, 'a right answer in every second'],
    ['answered_by: [m/1]', 'that one', fine, true, 'm/1'],
    ['answered_by: [m/2]', 'another', fine, false, 'm/1'],
  ])('%s, %s', (text, _, record, holds, measured) => {
    const verdict = only(text, record);
    expect(verdict).toMatchObject({
      assertion: text.replace('[m/', '[ m/').replace('1]', '1 ]').replace('2]', '2 ]'),
      holds,
    });
    expect(verdict.measured).toContain(measured);
    expect(verdict.advice === undefined).toBe(holds);
  });

  it('an outage is the longest time without a right answer; a rest within counts, one at its end does not', () => {
    const down = { failed: 10 };
    const record = handmade([{}, down, {}, down, down, { scheduled: 0 }, down, { scheduled: 0 }, {}]);
    expect(only('max_outage_s: 3', record)).toMatchObject({ holds: false, measured: '4 s, from 3 s on' });
    expect(only('max_outage_s: 4', record).holds).toBe(true);
  });

  it('the worst second counts once the run has settled', () => {
    const slow = { latency: { p50: 1, p90: 1, p99: 90_000, p999: 1, max: 1 } };
    const record = handmade([{}, slow, {}, {}]);
    expect(only('worst_second_p99_ms: 50', record)).toMatchObject({
      holds: false,
      measured: '90 ms at 1 s; above in 1 of 4 seconds',
    });
    expect(only('worst_second_p99_ms: {at_most: 50, after_s: 2}', record).holds).toBe(true);
    expect(only('worst_second_p99_ms: {at_most: 50, after_s: 9}', record)).toMatchObject({
      holds: false,
      measured: 'nothing was answered after 9 s',
    });
  });

  it('advice goes by what most of the errors were', () => {
    expect(only('max_error_rate: 0', handmade([{ dropped: 2 }])).advice).toContain('never sent');
    expect(only('max_error_rate: 0', handmade([{ wrong: 2 }])).advice).toContain('which version answered');
    expect(only('max_error_rate: 0', handmade([{ failed: 2 }])).advice).toContain('Most were refused (503 (2))');
    const broken = handmade([{ failed: 2, statuses: { 200: 8, none: 2 } }]);
    expect(only('max_error_rate: 0', broken).advice).toContain('connections broke');
    const behind = handmade([{}], { total: { behindP99: 15_000 } });
    expect(only('p99_ms: 1', behind).advice).toContain('what was measured is in part the driver');
  });
});

it('what only a schedule can be held against does not hold of a closed loop', () => {
  const record = handmade([{}]);
  const { behindP99: _, ...total } = record.load.total;
  const closed = { ...record, load: { ...record.load, total } };
  for (const text of ['max_behind_ms: 0.001', 'max_dropped_rate: 0']) {
    expect(only(text, closed)).toMatchObject({ holds: false, measured: 'requests followed no schedule' });
  }
  expect(only('p99_ms: 30', closed)).toMatchObject({
    holds: true,
    measured: '20 ms, from sending: there was no schedule',
  });
  expect(readRecord(JSON.stringify(closed), 'closed.json')).toEqual(closed);
  expect(renderReport(closed)).not.toContain('driver late by');
});

it('verdicts come in the order of the assertions', () => {
  const verdicts = judge(fine, readAssertions('max_wrong: 0\np99_ms: 1\nmax_error_rate: 0\n', 'a.yaml'));
  expect(verdicts.map(({ assertion, holds }) => [assertion, holds])).toEqual([
    ['max_wrong: 0', true],
    ['p99_ms: 1', false],
    ['max_error_rate: 0', true],
  ]);
});

it('docs/bench.md tells of every assertion', () => {
  const rows = readFileSync(new URL('../../docs/bench.md', import.meta.url), 'utf8')
    .split('\n## What must hold: assertions\n')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(describeAssertions().map(({ name, form, about }) => `| \`${name}\` | ${form} | ${about} |`));
});
