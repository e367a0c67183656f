import { expect, it } from 'vitest';
import { outstandingBeside, remarks } from './remarks.ts';

const total = { scheduled: 1_000, dropped: 0, behindP99: 100 };
const how = { problems: [], maxOutstanding: 256 };

it('an open loop may have more under way than few connections would leave it', () => {
  expect([4, 64, 100].map(outstandingBeside)).toEqual([256, 256, 400]);
});

it.each([
  ['nothing of a good one', {}, [], []],
  ['the first problem', {}, ['m: status 500', 'm: status 503'], [/^m: status 500$/]],
  ['what was not sent', { dropped: 30 }, [], [/^30 of 1,000 requests were not sent, as 256 were under way/]],
  ['a driver that was late', { behindP99: 15_000 }, [], [/^the driver itself was 15 ms behind its schedule/]],
])('tells %s', (_, over, problems, wanted) => {
  const lines = remarks({ ...total, ...over }, { ...how, problems });
  expect(lines).toEqual(wanted.map((line) => expect.stringMatching(line)));
});
