import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inspect } from '../../registry/inspect.ts';
import { openStore } from '../../registry/open-store.ts';
import { startPostgres, type TestPostgres } from '../../trainer/history/testing/postgres.ts';
import { hasRedis, startRedis, type TestRedis, withRedis } from '../../trainer/queue/testing/redis.ts';
import { hasS3Server, type S3Server, startS3Server, withS3Server } from '../s3-server.ts';
import { type Env, eventually, runKedge, startProgram } from './programs.ts';

vi.setConfig({ testTimeout: 180_000 });

/** From a history to versions with the real stores: Postgres, Redis, S3, and scooter-demand as it comes along. */
describe.skipIf(!hasRedis || !hasS3Server)(withS3Server(withRedis('a training on many machines')), () => {
  let postgres: TestPostgres | undefined;
  let redis: TestRedis;
  let s3: S3Server;
  let env: Env;
  beforeAll(async () => {
    [postgres, redis, s3] = await Promise.all([startPostgres(), startRedis(), startS3Server()]);
    env = {
      ...s3.env,
      KEDGE_BUCKET: `s3://${s3.bucket}/models`,
      REDIS_URL: redis.url,
      DATABASE_URL: postgres?.url ?? '',
      KEDGE_GATE_RUN_SECONDS: '60',
    };
  });
  afterAll(() => Promise.all([postgres?.stop(), redis?.stop(), s3?.stop()]));

  it('goes from the history in Postgres to versions in S3, and then has nothing to do', async ({ skip }) => {
    if (!postgres) skip('no Postgres is installed');
    const kedge = async (...words: string[]): Promise<string> => {
      const { code, out, err } = await runKedge(words, env);
      expect(code, `${words.join(' ')}: ${err}`).toBe(0);
      return out;
    };
    await kedge('history', 'fill', '--zones', '3', '--days', '400');
    expect(await kedge('train', 'master', '--all')).toMatch(/3 models to train/);
    const workers = [startProgram(['train', 'worker'], env), startProgram(['train', 'worker'], env)];
    const exits = workers.map(({ child, log }) => eventually(async () => child.exitCode ?? undefined, log(), 120_000));
    expect(await Promise.all(exits)).toEqual([0, 0]);
    const { models } = JSON.parse(await kedge('train', 'finish', '--json'));
    expect(models).toHaveLength(3);
    for (const { model, outcome, version, cost } of models) {
      expect({ model, outcome, version }).toEqual({ model, outcome: 'published', version: 1 });
      expect(cost.peakBytes).toBeGreaterThan(2 ** 20);
    }
    const store = openStore(env['KEDGE_BUCKET']!, { s3: s3.s3 });
    const { manifest, refusals } = await inspect(store, models[0].model, 1, { verify: true });
    store.close();
    expect(refusals).toEqual([]);
    expect(manifest!.training).toMatchObject({ reason: 'missing', gate: { passed: true } });
    expect(await kedge('train', '--ensure')).toBe('There is nothing to train.\n');
  });
});
