import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { openStore } from '../../registry/open-store.ts';
import { runKedge } from '../../tests/e2e/programs.ts';
import { startRun } from '../../trainer/master.ts';
import type { Mode } from '../../trainer/plan/plan.ts';
import { MemoryQueue } from '../../trainer/queue/memory-queue.ts';
import { LINE_MODULE } from '../../trainer/run/testing/line.ts';
import { trainAll, trainFinish, trainStatus, trainWorker } from './parts.ts';
import { type Setup, setUp } from './setup.ts';

// Each starts processes that fit.
vi.setConfig({ testTimeout: 120_000 });

describe('a training that joins the run of another master', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-parts-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** The run that is open has only line-a; what this training is asked for are line-a and line-b. */
  async function joined(
    values: Setup['context']['values'],
    other: { mode: Mode; settings: Record<string, unknown>; force?: boolean },
  ): Promise<{ exit: number | Error; out: string; err: string }> {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const store = openStore(`file://${folder}`);
    const env = { KEDGE_TRAINER: fileURLToPath(LINE_MODULE), KEDGE_GATE_RUN_SECONDS: '60', KEDGE_TRAIN_ATTEMPTS: '1' };
    const context = { env, values, positionals: [], out, err, signal: new AbortController().signal };
    const write = { clock: systemClock, random: Math.random, signal: context.signal };
    const setup = await setUp(context, { store, write });
    try {
      const { code } = setup;
      const planned = [{ model: 'line-a', reason: 'missing' as const }];
      await startRun({
        ...{ queue: await setup.queue(), code, planned, force: false, clock: systemClock, random: Math.random },
        ...other,
      });
      const exit = await trainAll({ ...setup, log: silentLog }).catch((error: Error) => error);
      out.end();
      err.end();
      return { exit, out: await text(out), err: await text(err) };
    } finally {
      await setup.close();
      store.close();
    }
  }
  const all = { kind: 'all' } as const;

  it('ends with 42 where a task of the first round failed for good, and answers once', async () => {
    const poison = { mode: all, settings: { poison: 'line-a' } };
    const { exit, out } = await joined({ all: true, json: true }, poison);
    expect(exit).toBe(42);
    const answer = JSON.parse(out);
    expect(answer.outcomes).toEqual({ failed: 1, published: 1 });
    expect(answer.models.map(({ model, outcome }: Record<string, string>) => [model, outcome])).toEqual([
      ['line-a', 'failed'],
      ['line-b', 'published'],
    ]);
    expect(answer.runs).toHaveLength(2);
    expect(answer.models.map(({ run }: Record<string, string>) => run)).toEqual(
      answer.runs.map(({ run }: Record<string, string>) => run),
    );
    expect(answer.cost.peakBytes).toBeGreaterThan(0);
  });

  it('tells of both rounds in words', async () => {
    const { exit, out } = await joined({ all: true }, { mode: all, settings: { poison: 'line-a' } });
    expect(exit).toBe(42);
    expect(out).toMatch(
      /line-a +missing +failed[\s\S]*: 1 failed\.[\s\S]*line-b +missing +version 1[\s\S]*: 1 published\./,
    );
  });

  it('says that the run goes by the mode and the force that it was begun with, and what to do', async () => {
    const poor = { mode: { kind: 'stale', olderThanMs: 24 * 3_600_000 } as const, settings: { poor: 'line-a' } };
    const { exit, err } = await joined({ ensure: true, force: true }, poor);
    expect(err).toMatch(
      /note: another master began the run \S+; this one joins it\. It was begun with --stale 24h and without --force, and goes by that: when it is over, give this command again\. It lacks line-b\./,
    );
    expect(exit).toMatchObject({ code: 'training-incomplete' });
    expect(String(exit)).toMatch(
      /kept back line-a.* begun without --force, and is over now, so give it again: kedge train --ensure --force --models line-a/,
    );
  });
});

describe('kedge train --json where no run is open', () => {
  it.each<[string, (setup: Setup) => Promise<number>, object]>([
    ['worker', trainWorker, { run: null, done: 0, failures: 0, failed: 0, ended: 'none' }],
    ['finish', trainFinish, { run: null, models: [] }],
    ['status', trainStatus, { id: null, tasks: [] }],
  ])('%s answers in JSON', async (_, part, wanted) => {
    const out = new PassThrough();
    const context = { values: { json: true }, out } as unknown as Setup['context'];
    const queue = new MemoryQueue(systemClock);
    // Of a setup it needs no more: no run, no bucket, no history.
    const setup = { context, config: { redisUrl: 'redis://none' }, queue: async () => queue } as unknown as Setup;
    expect(await part(setup)).toBe(0);
    out.end();
    expect(JSON.parse(await text(out))).toEqual(wanted);
  });
});

describe('parts that go on with a run', () => {
  it.each([
    [
      'finish',
      '--force',
      /^kedge: --force cannot be given here: a run keeps what it was begun with\. Give it to kedge train master/,
    ],
    ['worker', '--all', /^kedge: --all cannot be given here/],
    ['status', '--ensure', /^kedge: --ensure cannot be given here/],
  ])('%s refuses %s', async (part, flag, message) => {
    const { code, err } = await runKedge(['train', part, flag, '--bucket', 'file:///nowhere'], {});
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
