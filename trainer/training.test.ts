import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { inspect } from '../registry/inspect.ts';
import { publish } from '../registry/publish.ts';
import { MemoryQueue } from './queue/memory-queue.ts';

import { runOf } from './queue/testing/runs.ts';
import { readStaged } from './run/staging.ts';
import { lineModel } from './run/testing/line.ts';
import { incomplete, readReport } from './run-report.ts';
import { overriding } from './testing/overriding.ts';
import { LEASE_MS, RULES, trainingStage } from './testing/stage.ts';
import { workerExit } from './worker.ts';

// Each starts a dozen processes.
vi.setConfig({ testTimeout: 120_000 });

describe('a training, from plan to version', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-training-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const stage = trainingStage(() => folder);
  /** Moved to let leases run out. */
  let skew = 0;
  const queueOf = () => new MemoryQueue({ now: () => Date.now() + skew }, { backoffMs: 50, leaseMs: LEASE_MS });
  const ensure = { kind: 'ensure' } as const;
  const all = { kind: 'all' } as const;

  it('publishes what is missing, once, and then there is nothing to do', async () => {
    const { start, work, finish, versions, store, code } = stage();
    const queue = queueOf();
    const { run, joined } = await start(queue, ensure);
    expect(joined).toBe(false);
    expect(run.tasks.map(({ model, reason }) => [model, reason])).toEqual([
      ['line-a', 'missing'],
      ['line-b', 'missing'],
    ]);
    const outcome = await work(queue);
    expect(outcome).toEqual({ done: 2, failures: 0, ended: 'drained', run: run.id });
    expect(workerExit(outcome, 0)).toBe(0);
    const report = await finish(queue, run);
    expect(report.outcomes).toEqual({ published: 2 });
    expect(report.cost.peakBytes).toBeGreaterThan(0);
    expect(await readReport(store, run.id)).toMatchObject({ run: run.id, outcomes: { published: 2 } });
    expect(await versions()).toEqual({ 'line-a': [1], 'line-b': [1] });
    const { manifest, refusals } = await inspect(store, 'line-a', 1);
    expect(refusals).toEqual([]);
    expect(manifest).toMatchObject({
      code,
      requires: { estimator: '^1.0.0' },
      training: { run: run.id, reason: 'missing', rows: 384, gate: { passed: true, forced: false, loss: 'absolute' } },
    });
    // What became a version does not lie about a second time.
    expect(await readStaged(store, run.id, 'line-a')).toBeUndefined();
    expect((await start(queue, ensure)).run.tasks).toEqual([]);
  });

  it('holds a challenger against the champion, and keeps back one that loses, with its report', async () => {
    const { start, work, finish, versions, store } = stage();
    const queue = queueOf();
    const train = async (settings: object, options: { force?: boolean } = {}) => {
      const { run } = await start(queue, all, { models: ['line-a'], settings: { ...settings }, ...options });
      await work(queue);
      return (await finish(queue, run)).models[0]!;
    };
    await train({});
    const loser = await train({ bias: 0.5 });
    expect(loser).toMatchObject({ outcome: 'kept-back', gate: { champion: 1, passed: false }, fit: expect.anything() });
    expect(loser.gate!.reasons.map(({ code }) => code)).toEqual(['worse-than-champion']);
    expect(loser.message).toMatch(/worse than the version that serves: with 95 % confidence its gain on version 1/);
    expect(await versions()).toEqual({ 'line-a': [1] });

    const forced = await train({ bias: 0.5 }, { force: true });
    expect(forced).toMatchObject({ outcome: 'published', version: 2, forced: true });
    const { manifest } = await inspect(store, 'line-a', 2);
    expect(manifest!.training).toMatchObject({
      champion: 1,
      gate: { passed: false, forced: true, reasons: ['worse-than-champion'] },
    });
    expect(await train({})).toMatchObject({ outcome: 'published', version: 3, gate: { champion: 2 } });
  });

  it('sets a poison task aside, tries again what fails once, and says what is missing', async () => {
    const { start, work, finish, versions } = stage();
    const queue = queueOf();
    const settings = { poison: 'line-a', failOnce: join(folder, 'failed-once') };
    const { run } = await start(queue, ensure, { settings });
    const outcome = await work(queue);
    expect(outcome).toMatchObject({ done: 1, failures: 2, ended: 'drained' });
    const { failed } = await queue.counts(run);
    expect(workerExit(outcome, failed)).toBe(42);
    const report = await finish(queue, run);
    expect(incomplete(report)).toMatchObject([
      { model: 'line-a', outcome: 'failed', message: 'data-invalid: The history of line-a holds no number.' },
    ]);
    expect(await versions()).toEqual({ 'line-b': [1] });
  });

  it('ends a fit that hangs, tries it again, and lets the others through', async () => {
    const { start, work, finish, versions } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure, { settings: { hang: 'line-a' } });
    expect(await work(queue, { fitMs: 1_500 })).toMatchObject({ done: 1, failures: 3 });
    const report = await finish(queue, run);
    expect(report.models[0]).toMatchObject({ outcome: 'failed', attempts: 3, message: /fit-timeout/ });
    expect(await versions()).toEqual({ 'line-b': [1] });
  });

  it('gives tasks back that it was working on when it is told to go', async () => {
    const { start, work, finish, versions } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure, { settings: { sleepMs: 500 } });
    const told = new AbortController();
    let begun = 0;
    const outcome = await work(queue, {
      signal: told.signal,
      onStart: () => {
        begun += 1;
        if (begun === 2) setTimeout(() => told.abort(), 100);
      },
    });
    expect(outcome).toMatchObject({ ended: 'stopped', done: 0, failures: 0 });
    expect(workerExit(outcome, 0)).toBe(143);
    expect(await queue.counts(run)).toMatchObject({ waiting: 2, active: 0 });
    await work(queue);
    expect((await finish(queue, run)).models).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
    expect(await versions()).toEqual({ 'line-a': [1], 'line-b': [1] });
  });

  it('does not fit again what was handed in and not acknowledged', async () => {
    const { start, work, finish } = stage();
    const queue = queueOf();
    const journal = join(folder, 'journal');
    const { run } = await start(queue, ensure, { models: ['line-a'], settings: { journal } });
    // The acknowledgement is lost on the way.
    const deaf = overriding(queue, { ack: async () => false });
    const stopped = new AbortController();
    const first = work(deaf, { signal: stopped.signal });
    while (!(await readStaged(stage().store, run.id, 'line-a'))) await systemClock.sleep(20);
    stopped.abort();
    await first;
    expect(await queue.counts(run)).toMatchObject({ active: 1 });
    skew += LEASE_MS;
    await work(queue);
    expect((await finish(queue, run)).outcomes).toEqual({ published: 1 });
    expect(await readFile(journal, 'utf8')).toBe('line-a\n');
  });

  it('publishes once when two finish at once, and both have the report', async () => {
    const { start, work, finish, versions } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure);
    const finishing = [finish(queue, run), finish(queue, run)];
    await work(queue);
    const [one, other] = await Promise.all(finishing);
    expect(one!.models).toEqual(other!.models);
    expect(await versions()).toEqual({ 'line-a': [1], 'line-b': [1] });
  });

  it('goes on where a finish was cut off, and publishes nothing twice', async () => {
    const { start, work, finish, versions, store } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure);
    await work(queue);
    // It dies between two models: nothing of it is told to the queue.
    const dead = overriding(queue, { release: async () => false });
    let models = 0;
    const onModel = async (): Promise<void> => {
      models += 1;
      if (models === 2) throw new Error('Power cut.');
    };
    await expect(finish(dead, run, { onModel })).rejects.toThrow('Power cut.');
    expect(await readReport(store, run.id)).toBeUndefined();
    expect(await versions()).toEqual({ 'line-a': [1] });
    skew += LEASE_MS;
    const report = await finish(queue, run);
    expect(report.models).toMatchObject([
      { outcome: 'published', version: 1 },
      { outcome: 'published', version: 1 },
    ]);
    expect(await versions()).toEqual({ 'line-a': [1], 'line-b': [1] });
  });

  it('judges again when another version comes while it publishes', async () => {
    const { start, work, finish, versions, store, code } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure, { models: ['line-a'], settings: { bias: 0.2 } });
    await work(queue);
    // As the model is about to be published, somebody brings a better one.
    let brought = 0;
    const racing = overriding(queue, {
      async renew(lease) {
        if (brought++ === 1) await bring();
        return queue.renew(lease);
      },
    });
    const bring = async (): Promise<void> => {
      const source = join(folder, 'better.onnx');
      await writeFile(source, lineModel(2));
      await publish({ store, source, model: 'line-a', details: { code: { ...code } } });
    };
    const [model] = (await finish(racing, run)).models;
    expect(brought).toBeGreaterThan(1);
    expect(model).toMatchObject({ outcome: 'kept-back', gate: { passed: false } });
    const published = (await versions())['line-a']!;
    expect(published).toHaveLength(1);
    expect(model!.gate!.champion).toBe(published[0]);
  });

  it('refuses what was handed in and is no model that serves', async () => {
    const { start, work, finish, versions, store } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure, { models: ['line-a'] });
    await work(queue);
    const staged = (await readStaged(store, run.id, 'line-a'))!;
    await store.put(`_train/${run.id}/line-a/${staged.attempt}/model.onnx`, Buffer.from('<html>'), {});
    const report = await finish(queue, run);
    expect(report.models[0]).toMatchObject({ outcome: 'refused', message: /is not what was handed in/ });
    expect(await versions()).toEqual({});
  });

  it('says so where the run is gone', async () => {
    const { finish, work } = stage();
    const queue = queueOf();
    await expect(finish(queue, runOf('gone', ['a']))).rejects.toMatchObject({ code: 'queue-failed', message: /gone/ });
    expect(await work(queue)).toMatchObject({ ended: 'none' });
  });

  it('keeps within its budgets', async () => {
    const { start, work, finish } = stage();
    const queue = queueOf();
    const { run } = await start(queue, ensure, { models: ['line-a'] });
    await work(queue);
    const report = await finish(queue, run, { rules: { ...RULES, maxBytes: 10 } });
    expect(report.models[0]).toMatchObject({
      outcome: 'kept-back',
      message: /files are too large: \d+ bytes, 10 are allowed/,
    });
  });
});
