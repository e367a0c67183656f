import { median } from '../statistics.ts';
import { type Figure, never, rounded } from '../verdict.ts';

/** One server in one round. Latencies in milliseconds. NaN for what was not seen. */
export interface Measured {
  /** Closed loop: right answers a second. */
  perSecond: number;
  /** Of the server and those under it, for each request. */
  cpuMicros: number;
  /** Resident, after the closed loop. */
  mebibytes: number;
  p50: number;
  p99: number;
  closedFailed: number;
  /** Open loop, at one rate for all. */
  openP50: number;
  openP99: number;
  wrong: number;
  openFailed: number;
  /** Not sent, as too many were under way. */
  dropped: number;
}

type Rounds = readonly ReadonlyMap<string, Measured>[];

/** Rows of two tables for a server: medians of its rounds, sums of what was wrong, and how many times Kedge's figure it takes or gives, with the least and the most. */
export function summarize(name: string, rounds: Rounds): { absolute: object; relative: object } {
  const of = (key: keyof Measured): number => rounded(median(rounds.map((round) => round.get(name)![key])));
  const ratio = (key: keyof Measured): string => {
    const ratios = rounds.map((round) => round.get('kedge')![key] / round.get(name)![key]);
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    return Number.isNaN(least) ? '-' : `${rounded(median(ratios))} (${rounded(least)} to ${rounded(most)})`;
  };
  const sum = (count: (one: Measured) => number): number =>
    rounds.reduce((total, round) => total + count(round.get(name)!), 0);
  return {
    absolute: {
      server: name,
      'answers/s': of('perSecond'),
      'p50 ms': of('p50'),
      'p99 ms': of('p99'),
      'CPU us/request': of('cpuMicros'),
      'resident MiB': of('mebibytes'),
      'p50 at rate ms': of('openP50'),
      'p99 at rate ms': of('openP99'),
      wrong: sum(({ wrong }) => wrong),
      failed: sum(({ openFailed, closedFailed }) => openFailed + closedFailed),
      'not sent': sum(({ dropped }) => dropped),
    },
    relative: {
      'kedge to': name,
      'answers/s': ratio('perSecond'),
      'CPU/request': ratio('cpuMicros'),
      'p99, closed loop': ratio('p99'),
      'p99 at rate': ratio('openP99'),
      memory: ratio('mebibytes'),
    },
  };
}

/** What no server may do in any round, and what leaves the rate that it was asked at in doubt. */
export function faults(names: readonly string[], rounds: Rounds): Figure[] {
  const all = (what: string, count: (one: Measured) => number): Figure[] =>
    names.map((name) =>
      never(
        `${name}: ${what}`,
        rounds.map((round) => count(round.get(name)!)),
      ),
    );
  return [
    ...all(
      'answers that were wrong, or none',
      ({ wrong, openFailed, closedFailed }) => wrong + openFailed + closedFailed,
    ),
    ...all('requests that were not sent', ({ dropped }) => dropped),
  ];
}
