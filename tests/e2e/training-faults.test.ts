import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { listModels } from '../../registry/list-models.ts';
import { openStore } from '../../registry/open-store.ts';
import { hasRedis, startRedis, type TestRedis, withRedis } from '../../trainer/queue/testing/redis.ts';
import type { LineSettings } from '../../trainer/run/testing/line.ts';
import { type RunReport, readReport } from '../../trainer/run-report.ts';
import { type Env, eventually, type Program, runKedge, startProgram } from './programs.ts';

const LINE = fileURLToPath(new URL('../../trainer/run/testing/line.ts', import.meta.url));
const MODELS = ['line-a', 'line-b', 'line-c', 'line-d'];

// Each starts a dozen processes.
vi.setConfig({ testTimeout: 180_000 });

/** A training on several programs and a real Redis, of which parts are killed: it ends complete, or says what is missing. */
describe.skipIf(!hasRedis)(withRedis('a training whose parts are killed'), () => {
  let redis: TestRedis;
  let folder: string;
  let env: Env;
  let started: Program[] = [];
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-faults-'));
    await mkdir(join(folder, 'bucket'));
    count += 1;
    env = {
      KEDGE_BUCKET: `file://${folder}/bucket`,
      REDIS_URL: redis.url,
      KEDGE_TRAINER: LINE,
      KEDGE_TRAIN_QUEUE: `faults-${count}`,
      KEDGE_TRAIN_LEASE_SECONDS: '2',
      KEDGE_TRAIN_FIT_SECONDS: '60',
      KEDGE_GATE_RUN_SECONDS: '60',
      LINE_MODELS: MODELS.join(),
    };
  });
  afterEach(async () => {
    for (const program of started) await program.kill();
    started = [];
    await rm(folder, { recursive: true, force: true });
  });

  const journal = (): string => join(folder, 'journal');
  const fits = async (): Promise<string[]> =>
    (await readFile(journal(), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const withSettings = (settings: LineSettings): Env => ({
    ...env,
    LINE_SETTINGS: JSON.stringify({ journal: journal(), ...settings }),
  });
  const start = (words: string[], more: Env = env): Program => {
    const program = startProgram(['train', ...words], more);
    started.push(program);
    return program;
  };
  const exitOf = (program: Program): Promise<number> =>
    eventually(
      async () => program.child.exitCode ?? undefined,
      `the end of a program that said: ${program.log()}`,
      120_000,
    );
  const master = async (settings: LineSettings = {}): Promise<string> => {
    const { code, out, err } = await runKedge(['train', 'master', '--json'], withSettings(settings));
    expect(code, err).toBe(0);
    return JSON.parse(out).id;
  };
  const reportOf = async (run: string): Promise<RunReport> => (await readReport(openStore(env['KEDGE_BUCKET']!), run))!;
  const finish = async (run: string): Promise<{ code: number | null; report: RunReport }> => {
    const { code, err } = await runKedge(['train', 'finish'], env);
    expect([0, 42], err).toContain(code);
    return { code, report: await reportOf(run) };
  };
  /** Each model that is published is published once, and nothing half-done can be seen. */
  const published = async (): Promise<string[]> => {
    const models = await listModels(openStore(env['KEDGE_BUCKET']!));
    const all = models.flatMap(({ model, versions }) =>
      versions.map(({ version, kind }) => ({ model, version, kind })),
    );
    expect(all.every(({ version, kind }) => version === 1 && kind === 'published')).toBe(true);
    return all.map(({ model }) => model);
  };

  it('kill -9 of a worker: another does its task', async () => {
    const run = await master({ sleepMs: 1_500 });
    const first = start(['worker']);
    await eventually(async () => (await fits()).length > 0, 'a fit');
    await first.kill();
    expect(await exitOf(start(['worker']))).toBe(0);
    expect((await fits()).length).toBe(MODELS.length + 1);
    expect(await finish(run)).toMatchObject({ code: 0, report: { outcomes: { published: 4 } } });
    expect(await published()).toEqual(MODELS);
  });

  it('SIGTERM of a worker: its task goes back at once, and it does not end with 0', async () => {
    const run = await master({ sleepMs: 1_500 });
    const first = start(['worker']);
    await eventually(async () => (await fits()).length > 0, 'a fit');
    expect(await first.stop()).toBe(143);
    const { out } = await runKedge(['train', 'status', '--json'], env);
    expect(JSON.parse(out).tasks).toEqual(
      MODELS.map((model) => expect.objectContaining({ model, state: 'waiting', attempts: 0 })),
    );
    await exitOf(start(['worker']));
    expect((await finish(run)).report.models.every(({ attempts }) => attempts === 0)).toBe(true);
    expect(await published()).toEqual(MODELS);
  });

  it('kill -9 of the master, at any moment: another master has the same run, or begins it', async () => {
    for (const afterMs of [150, 400, 700]) {
      const killed = start(['master'], withSettings({}));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await killed.kill();
    }
    const run = await master();
    expect(await exitOf(start(['worker']))).toBe(0);
    expect(await finish(run)).toMatchObject({ code: 0, report: { outcomes: { published: 4 } } });
    expect(await published()).toEqual(MODELS);
  });

  it('two masters at once have one run; two workers share it, and two finishes publish once', async () => {
    const [one, other] = await Promise.all([master(), master()]);
    expect(one).toBe(other);
    const programs = ['worker', 'worker', 'finish', 'finish'].map((part) => start([part]));
    expect(await Promise.all(programs.map(exitOf))).toEqual([0, 0, 0, 0]);
    expect((await fits()).sort()).toEqual(MODELS);
    expect((await reportOf(one)).outcomes).toEqual({ published: 4 });
    expect(await published()).toEqual(MODELS);
  });

  it('kill -9 of a finish: the next one publishes the rest', async () => {
    const run = await master();
    expect(await exitOf(start(['worker']))).toBe(0);
    const first = start(['finish']);
    await eventually(async () => /A model of a run is finished/.test(first.log()), 'a model that is finished');
    await first.kill();
    const { report } = await finish(run);
    expect(report.outcomes).toEqual({ published: 4 });
    expect(await published()).toEqual(MODELS);
  });

  it('kill -9 of Redis, which has its append-only file: workers wait, and go on', async () => {
    const run = await master({ sleepMs: 1_000 });
    const worker = start(['worker']);
    await eventually(async () => (await fits()).length > 1, 'a second fit');
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await redis.start();
    expect(await exitOf(worker)).toBe(0);
    expect(await finish(run)).toMatchObject({ code: 0, report: { outcomes: { published: 4 } } });
    expect(await published()).toEqual(MODELS);
  });

  it('Redis out of memory: what was fitted is not lost, and is told when there is room again', async () => {
    const run = await master({ sleepMs: 1_000 });
    const worker = start(['worker']);
    await eventually(async () => (await fits()).length > 0, 'a fit');
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await eventually(async () => /no memory left/.test(worker.log()), 'a worker that says so', 60_000);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await exitOf(worker)).toBe(0);
    expect((await fits()).sort()).toEqual(MODELS);
    expect(await finish(run)).toMatchObject({ code: 0, report: { outcomes: { published: 4 } } });
    expect(await published()).toEqual(MODELS);
  });

  it('Redis out of memory from the start: the master says so, and a later one plans', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const { code, err } = await runKedge(['train', 'master'], withSettings({}));
      expect(code).toBe(3);
      expect(err).toMatch(/Redis at 127.0.0.1:\d+ has no memory left/);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    const run = await master();
    await exitOf(start(['worker']));
    expect((await finish(run)).report.outcomes).toEqual({ published: 4 });
  });

  it('a poison task is set aside, a fit that crashes is tried thrice, and one that hangs is ended: all others are published', async () => {
    env['KEDGE_TRAIN_FIT_SECONDS'] = '3';
    const run = await master({ poison: 'line-a', crash: 'line-b', hang: 'line-c' });
    expect(await exitOf(start(['worker']))).toBe(42);
    const { code, report } = await finish(run);
    expect(code).toBe(42);
    expect(report.models).toMatchObject([
      { outcome: 'failed', attempts: 1, message: /^data-invalid: / },
      { outcome: 'failed', attempts: 3, message: /^fit-crashed: / },
      { outcome: 'failed', attempts: 3, message: /^fit-timeout: / },
      { outcome: 'published', version: 1 },
    ]);
    expect(await published()).toEqual(['line-d']);
  });

  it('a Redis that lost the run: workers and finish say so', async () => {
    const run = await master({ sleepMs: 2_000 });
    const worker = start(['worker']);
    await eventually(async () => (await fits()).length > 0, 'a fit');
    await redis.command('FLUSHALL');
    expect(await exitOf(worker)).toBe(4);
    expect(worker.log()).toMatch(new RegExp(`The run ${run} is gone`));
    expect(await published()).toEqual([]);
  });

  it('kedge train does all of it on a queue that others work on, and has nothing to do afterwards without asking the history', async () => {
    const { code, out } = await runKedge(['train', '--ensure'], withSettings({}));
    expect(code).toBe(0);
    expect(out).toMatch(/4 published/);
    const again = await runKedge(['train', '--ensure'], {
      ...env,
      LINE_NO_HISTORY: '1',
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    expect(again).toMatchObject({ code: 0, out: 'There is nothing to train.\n' });
  });
});
