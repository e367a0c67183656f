import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readRows } from '../../examples/scooter-demand/history/read-training.ts';
import { readZones } from '../../examples/scooter-demand/history/store.ts';

import { openPostgres } from '../../trainer/history/postgres.ts';
import type { HistoryRow } from '../../trainer/history/source.ts';
import { startPostgres } from '../../trainer/history/testing/postgres.ts';
import { hasRedis, startRedis, type TestRedis } from '../../trainer/queue/testing/redis.ts';
import { hasS3Server, type S3Server, startS3Server } from '../s3-server.ts';
import { createStage, postJson, type Stage, waitForActive } from './stage.ts';

const postgres = await startPostgres();
const missing = Object.entries({ Postgres: postgres, Redis: hasRedis, 'an S3 server': hasS3Server }).flatMap(
  ([name, there]) => (there ? [] : [name]),
);
const leftOut =
  missing.length > 0 ? ` (left out: no ${missing.join(', ')}; tests/install-servers.sh installs them)` : '';

const ZONES = 4;
/** Days that have passed on every clock, so that the city and its models are the same each time. */
const [FORECAST_DAY, DAY_AFTER] = ['2024-11-20', '2024-11-21'];
const NOWHERE = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' };

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

/** Each test goes on from the one before, as a day of operation does. */
describe.skipIf(missing.length > 0)(`the whole loop on Postgres, Redis and S3${leftOut}`, () => {
  let redis: TestRedis;
  let s3: S3Server;
  let stage: Stage;
  beforeAll(async () => {
    redis = await startRedis();
    s3 = await startS3Server();
    const env = { ...s3.env, DATABASE_URL: postgres!.url, REDIS_URL: redis.url, KEDGE_GATE_RUN_SECONDS: '5' };
    const examples = { KEDGE_ESTIMATORS: new URL('../../examples', import.meta.url).pathname };
    stage = createStage({ bucket: `s3://${s3.bucket}/city`, env: { ...env, ...examples }, s3: s3.s3 });
  });
  afterAll(async () => {
    await stage?.close();
    await s3?.stop();
    await redis?.stop();
    await postgres?.stop();
  });

  const kedge = async (words: string[], code = 0): Promise<string> => {
    const result = await stage.kedge(words);
    expect(result.code, `${words.join(' ')}: ${result.err}`).toBe(code);
    return result.out;
  };
  const fill = (until: string): Promise<string> =>
    kedge(['history', 'fill', '--zones', String(ZONES), '--days', '150', '--until', until]);
  /** The hours of the day that is forecast, as a caller would post them; what came is with them once it is known. */
  const rowsOfDay = async (): Promise<Map<string, HistoryRow[]>> => {
    const database = await openPostgres(postgres!.url);
    try {
      const from = Date.parse(`${FORECAST_DAY}T00:00+01:00`) / 1000;
      const zones = await readZones(database);
      const window = { from, to: from + 24 * 3600 };
      return new Map(
        await Promise.all(
          zones.map(async (zone) => [zone, await readRows(database, zone, window)] as [string, HistoryRow[]]),
        ),
      );
    } finally {
      await database.close();
    }
  };

  it('a master plans, two workers fit, a finish publishes', async () => {
    await fill(FORECAST_DAY);
    expect(await kedge(['train', 'master', '--all'])).toMatch(new RegExp(`: ${ZONES} models to train`));
    const workers = await Promise.all([kedge(['train', 'worker']), kedge(['train', 'worker'])]);
    const done = workers.map((out) => Number(/: (\d+) tasks done here, 0 tries failed, drained/.exec(out)?.[1]));
    expect(done[0]! + done[1]!).toBe(ZONES);
    const report = JSON.parse(await kedge(['train', 'finish', '--json']));
    expect(report.outcomes).toEqual({ published: ZONES });
    expect(report.cost).toMatchObject({ ms: expect.any(Number), peakBytes: expect.any(Number) });
    expect(await kedge(['train', 'worker'])).toMatch(/No run is open/);
  });

  it('a server forecasts the next day by domain row, nearer to what comes than the week before was', async () => {
    await stage.startLoader();
    const { url } = await stage.startServer();
    const rows = await rowsOfDay();
    expect(rows.size).toBe(ZONES);
    const forecasts = new Map<string, number[]>();
    for (const [zone, hours] of rows) {
      const model = `scooter-demand-${zone}`;
      await waitForActive(url, model, 1);
      // Nothing of that day is known yet.
      expect(hours.map(({ target }) => target)).toEqual(new Array(24).fill(undefined));
      const { status, body, headers } = await postJson(`${url}/v1/models/${model}:predict`, {
        instances: hours.map(({ row }) => row),
      });
      expect(status, JSON.stringify(body)).toBe(200);
      expect(headers.get('kedge-model-version')).toBe('1');
      forecasts.set(
        zone,
        body.predictions.map(({ trips }: { trips: number }) => trips),
      );
    }
    await fill(DAY_AFTER);
    const [model, weekBefore] = [new Mean(), new Mean()];
    for (const [zone, hours] of await rowsOfDay()) {
      for (const [at, { target, row }] of hours.entries()) {
        const before = row['trips_week_ago'];
        if (target === undefined || typeof before !== 'number') continue;
        model.add(Math.abs(forecasts.get(zone)![at]! - target));
        weekBefore.add(Math.abs(before - target));
      }
    }
    expect(model.count).toBeGreaterThan(ZONES * 16);
    expect(model.value).toBeLessThan(weekBefore.value);
  });

  it('kedge train --ensure then does nothing, and asks neither history nor queue', async () => {
    const versions = await kedge(['ls', '--json']);
    const { code, out, err } = await stage.kedge(['train', '--ensure'], NOWHERE);
    expect({ code, out }, err).toEqual({ code: 0, out: 'There is nothing to train.\n' });
    expect(await kedge(['ls', '--json'])).toBe(versions);
    // So that it is known that asking would have shown.
    const all = await stage.kedge(['train', '--all'], NOWHERE);
    expect(all.err).toMatch(/Postgres at .* cannot be used/);
    expect(all.code).not.toBe(0);
  });

  it('a night later all are trained anew, and judged against those that serve', async () => {
    const report = JSON.parse(await kedge(['train', '--all', '--json']));
    expect(report.models).toHaveLength(ZONES);
    for (const { outcome, reason, gate } of report.models) {
      expect(reason).toBe('asked');
      expect(gate.losses.champion).toBeGreaterThan(0);
      expect(outcome).toBe(gate.passed ? 'published' : 'kept-back');
    }
  });
});

class Mean {
  #sum = 0;
  count = 0;
  add(value: number): void {
    this.#sum += value;
    this.count += 1;
  }
  get value(): number {
    return this.#sum / this.count;
  }
}
