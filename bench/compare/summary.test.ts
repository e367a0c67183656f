import { expect, it } from 'vitest';
import { isReached } from '../verdict.ts';
import { faults, type Measured, summarize } from './summary.ts';

function measured(perSecond: number, cpuMicros: number): Measured {
  const rest = {
    mebibytes: 100,
    p50: 1,
    p99: 2,
    closedFailed: 1,
    openP50: 1,
    openP99: 4,
    wrong: 0,
    openFailed: 2,
    dropped: 5,
  };
  return { perSecond, cpuMicros, ...rest };
}

it('a server is told by medians, and by ratios of the same round', () => {
  const rounds = [
    new Map([
      ['kedge', measured(1_000, 50)],
      ['peer', measured(500, Number.NaN)],
    ]),
    new Map([
      ['kedge', measured(400, 50)],
      ['peer', measured(100, Number.NaN)],
    ]),
    new Map([
      ['kedge', measured(900, 50)],
      ['peer', measured(300, Number.NaN)],
    ]),
  ];
  const { absolute, relative } = summarize('peer', rounds);
  expect(absolute).toMatchObject({
    server: 'peer',
    'answers/s': 300,
    failed: 9,
    'not sent': 15,
    wrong: 0,
    'CPU us/request': Number.NaN,
  });
  expect(relative).toMatchObject({ 'kedge to': 'peer', 'answers/s': '3 (2 to 4)', 'CPU/request': '-' });
});

it('what was wrong in a minority of rounds is not passed over', () => {
  const rounds = [0, 0, 0, 500, 500].map((wrong) => {
    const good = { ...measured(1_000, 50), closedFailed: 0, openFailed: 0, dropped: 0 };
    return new Map([
      ['kedge', good],
      ['peer', { ...good, wrong }],
    ]);
  });
  const [ours, theirs] = faults(['kedge', 'peer'], rounds);
  expect(isReached(ours!)).toBe(true);
  expect(theirs).toMatchObject({ what: 'peer: answers that were wrong, or none', measured: [1_000] });
  expect(isReached(theirs!)).toBe(false);
  expect(summarize('peer', rounds).absolute).toMatchObject({ wrong: 1_000, failed: 0 });
});

it('what was not sent is told apart from what failed', () => {
  const rounds = [new Map([['kedge', { ...measured(1_000, 50), closedFailed: 0, openFailed: 0 }]])];
  expect(faults(['kedge'], rounds)).toMatchObject([
    { what: 'kedge: answers that were wrong, or none', measured: [0] },
    { what: 'kedge: requests that were not sent', measured: [5] },
  ]);
});
