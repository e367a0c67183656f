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
import { startRun } from '../../trainer/master.ts';
import type { Mode } from '../../trainer/plan/plan.ts';
import { LINE_MODULE } from '../../trainer/run/testing/line.ts';
import { trainAll } from './parts.ts';
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
    other: { mode: Mode; settings: Record<string, unknown> },
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
});
