import { expect, it } from 'vitest';
import { type LiveFacts, showLive } from './live.ts';
import type { Look } from './tally.ts';

const facts: LiveFacts = { url: 'http://a', seconds: 60, compression: 2 };
const latency = { p50: 810, p90: 1_200, p99: 15_000, p999: 20_000, max: 21_000 };

function look(at: number, change: Partial<Look> = {}): Look {
  const none = { wrong: 0, failed: 0, dropped: 0, statuses: {}, versions: { 'm/1': 75, 'm/2': 25 } };
  return { at, inFlight: 3, scheduled: 100, ok: 100, latency, ...none, ...change };
}

function shown(isTTY: boolean, looks: readonly Look[], times: readonly number[]): string[] {
  const texts: string[] = [];
  let now = 0;
  const stream = { isTTY, columns: 120, write: (text: string) => texts.push(text) };
  const { onLook, end } = showLive(stream, facts, () => now);
  for (const [index, one] of looks.entries()) {
    now = times[index]!;
    onLook(one);
  }
  end();
  return texts;
}

it('draws on a terminal, over what it drew before, and takes it away at the end', () => {
  const texts = shown(true, [look(1), look(2, { failed: 2, ok: 98, inFlight: 4 })], [250, 500]);
  expect(texts[0]).toBe(`http://a  1 of 60 s  [=                             ]
rate       200 requests/s
in flight  3
latency    p50 0.81 ms, p90 1.2 ms, p99 15 ms, max 21 ms (last 1/4 s with answers)
so far     100 right, 0 wrong, 0 failed, 0 dropped
versions   m/1 75 %, m/2 25 %
`);
  expect(texts[1]!.startsWith('\u001b[6A\u001b[J')).toBe(true);
  expect(texts[1]).toContain('so far     198 right, 0 wrong, 2 failed, 0 dropped');
  expect(texts[2]).toBe('\u001b[6A\u001b[J');
});

it('writes a line now and then elsewhere', () => {
  const times = [250, 4_900, 5_000, 5_250, 10_100];
  const texts = shown(
    false,
    times.map((_, index) => look(index + 1)),
    times,
  );
  expect(texts.filter(Boolean)).toEqual([
    '3 of 60 s: 200/s, 3 in flight, p50 0.81 ms, p90 1.2 ms, p99 15 ms, max 21 ms (last 1/4 s with answers), 300 right, 0 wrong, 0 failed, 0 dropped; m/1 75 %, m/2 25 %\n',
    '5 of 60 s: 200/s, 3 in flight, p50 0.81 ms, p90 1.2 ms, p99 15 ms, max 21 ms (last 1/4 s with answers), 500 right, 0 wrong, 0 failed, 0 dropped; m/1 75 %, m/2 25 %\n',
  ]);
});

it('shows the latencies of the last look that had answers, and says so', () => {
  const quiet = look(3, { ok: 0, failed: 100 });
  delete quiet.latency;
  const slow = look(2, { latency: { ...latency, p99: 900_000, max: 1_000_000 } });
  expect(shown(true, [look(1), slow, quiet], [250, 500, 750])[2]).toContain(
    'latency    p50 0.81 ms, p90 1.2 ms, p99 900 ms, max 1 s (last 1/4 s with answers)\n',
  );
});

it('has words for what is not there yet, and not for every version', () => {
  const versions = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`m/${index}`, 1]));
  const nothing = look(0, { scheduled: 0, ok: 0, versions: {} });
  delete nothing.latency;
  expect(shown(true, [nothing], [0])[0]).toMatch(/rate {7}0 requests\/s(?:.|\n)*no answer yet(?:.|\n)*none seen/);
  expect(shown(true, [look(1, { versions })], [0])[0]).toMatch(/m\/5 11\.1 %, and 3 others/);
});
