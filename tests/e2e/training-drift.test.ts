import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inspect } from '../../registry/inspect.ts';
import { openStore } from '../../registry/open-store.ts';
import { seededRandom } from '../../trainer/fit/random.ts';
import { hourText } from '../../trainer/history/city-clock.ts';
import { startPostgres } from '../../trainer/history/testing/postgres.ts';
import { type Env, runKedge } from './programs.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const HOUR = 3600;
const DAYS = 200;
const server = await startPostgres();

describe(`drift of a history in ${server ? 'Postgres' : 'PGlite'}`, () => {
  let dir: string;
  let env: Env;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-drift-'));
    await mkdir(join(dir, 'bucket'));
    const history: Env = server ? { DATABASE_URL: server.url } : { KEDGE_HISTORY: join(dir, 'history') };
    env = { ...history, KEDGE_BUCKET: `file://${dir}/bucket`, KEDGE_GATE_RUN_SECONDS: '5' };
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const kedge = async (...words: string[]): Promise<{ out: string; err: string }> => {
    const { code, out, err } = await runKedge(words, env);
    expect(code, err).toBe(0);
    return { out, err };
  };
  const now = Math.floor(Date.now() / 1000 / HOUR) * HOUR;
  /** Trips of the last days: a rhythm of the day and chance, nothing of the season. */
  const bring = async (zones: string[], days: number, times = 1): Promise<void> => {
    const random = seededRandom(days);
    const lines = zones.flatMap((zone) =>
      Array.from({ length: days * 24 }, (_unused, at) => {
        const utc = now - (days * 24 - at) * HOUR;
        const mean = 12 + 10 * Math.sin((2 * Math.PI * (utc / HOUR)) / 24);
        return `${zone},${hourText(utc)}Z,${Math.round(times * (mean + 6 * random()))}`;
      }),
    );
    const file = join(dir, 'trips.csv');
    await writeFile(file, `zone,time,trips\n${lines.join('\n')}\n`);
    await kedge('history', 'import', 'trips', file, '--time-zone', 'UTC');
  };

  it('is none while all goes on; what changed is trained anew, and told by which features', async () => {
    await bring(['east', 'harbour'], DAYS);
    expect((await kedge('train')).out).toMatch(/2 published/);
    expect((await kedge('train', '--drifted')).out).toBe('There is nothing to train.\n');
    await bring(['harbour'], 20, 3);
    const { out, err } = await kedge('train', '--drifted', '--force', '--json');
    expect(JSON.parse(out).models).toMatchObject([
      { model: 'scooter-demand-harbour', reason: 'drifted', outcome: 'published', version: 2 },
    ]);
    expect(err).toMatch(/note: scooter-demand-harbour has drifted: .*trips_day_ago \(PSI /);
    const store = openStore(env['KEDGE_BUCKET']!);
    const { manifest } = await inspect(store, 'scooter-demand-harbour', 2);
    store.close();
    expect(manifest!.training).toMatchObject({
      reason: 'drifted',
      drift: expect.arrayContaining([{ feature: 'trips_day_ago', what: 'values', psi: expect.any(Number) }]),
    });
  });
});
