import { expect, it } from 'vitest';
import { FairTurns, type Participant } from './turns.ts';

/** Someone who wants `runs` runs that take `ms` each; a test ends them. */
class Someone implements Participant {
  expectedMs: number;
  #left: number;
  readonly #name: string;
  readonly #ms: number;
  readonly #log: string[];
  readonly #ends: (() => void)[] = [];

  constructor(name: string, { ms, runs, log }: { ms: number; runs: number; log: string[] }) {
    this.#name = name;
    this.expectedMs = ms;
    this.#ms = ms;
    this.#left = runs;
    this.#log = log;
  }

  get wants(): boolean {
    return this.#left > 0;
  }

  more(runs: number): void {
    this.#left += runs;
  }

  start(): Promise<number> {
    this.#left -= 1;
    this.#log.push(this.#name);
    return new Promise((resolve) => this.#ends.push(() => resolve(this.#ms)));
  }

  end(): void {
    this.#ends.shift()!();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

it('gives a turn once this turn of the loop is over', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  turns.ask(new Someone('a', { ms: 1, runs: 1, log }));
  await Promise.resolve();
  expect(log).toEqual([]);
  await turn();
  expect(log).toEqual(['a']);
});

it('lets the light one go before the next run of the heavy one, however many wait there', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  const heavy = new Someone('heavy', { ms: 100, runs: 50, log });
  const light = new Someone('light', { ms: 1, runs: 0, log });
  turns.ask(heavy);
  await turn();
  for (let round = 0; round < 3; round += 1) {
    light.more(1);
    turns.ask(light);
    heavy.end();
    await turn();
    light.end();
    await turn();
  }
  expect(log).toEqual(['heavy', 'light', 'heavy', 'light', 'heavy', 'light', 'heavy']);
});

it('shares time, not turns, among those that always want', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  const slow = new Someone('slow', { ms: 40, runs: 1000, log });
  const quick = new Someone('quick', { ms: 10, runs: 1000, log });
  turns.ask(slow);
  turns.ask(quick);
  for (let run = 0; run < 50; run += 1) {
    await turn();
    (log.at(-1) === 'slow' ? slow : quick).end();
  }
  const slowRuns = log.filter((name) => name === 'slow').length;
  expect(slowRuns).toBeGreaterThanOrEqual(9);
  expect(slowRuns).toBeLessThanOrEqual(11);
});

it('gives no credit for having been away', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  const steady = new Someone('steady', { ms: 10, runs: 1000, log });
  turns.ask(steady);
  for (let run = 0; run < 20; run += 1) {
    await turn();
    steady.end();
  }
  const late = new Someone('late', { ms: 10, runs: 1000, log });
  log.length = 0;
  turns.ask(late);
  for (let run = 0; run < 8; run += 1) {
    await turn();
    (log.at(-1) === 'late' ? late : steady).end();
  }
  expect(log.filter((name) => name === 'late').length).toBeLessThanOrEqual(5);
});

it('begins as many runs as the slice has room for', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 5 });
  for (const name of ['a', 'b', 'c', 'd']) turns.ask(new Someone(name, { ms: 2, runs: 1, log }));
  await turn();
  // The third one begins when less than the slice is under way.
  expect(log).toEqual(['a', 'b', 'c']);
});

it('passes over who wants no more', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  turns.ask(new Someone('gone', { ms: 1, runs: 0, log }));
  turns.ask(new Someone('b', { ms: 1, runs: 1, log }));
  await turn();
  expect(log).toEqual(['b']);
});

it('tells how long someone has been alone', async () => {
  const log: string[] = [];
  const turns = new FairTurns({ sliceMs: 0 });
  const a = new Someone('a', { ms: 1, runs: 2, log });
  const b = new Someone('b', { ms: 1, runs: 1, log });
  expect(turns.turnsAlone(a)).toBe(0);
  turns.ask(a);
  await turn();
  expect(turns.turnsAlone(a)).toBe(1);
  a.end();
  await turn();
  expect([turns.turnsAlone(a), turns.turnsAlone(b)]).toEqual([2, 0]);
  turns.ask(b);
  expect(turns.turnsAlone(a)).toBe(0);
  a.end();
  await turn();
  expect([turns.turnsAlone(a), turns.turnsAlone(b)]).toEqual([0, 1]);
  expect(log).toEqual(['a', 'a', 'b']);
});
