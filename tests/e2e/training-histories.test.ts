import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../trainer/fit/random.ts';
import { CityClock, hourText } from '../../trainer/history/city-clock.ts';
import { startPostgres } from '../../trainer/history/testing/postgres.ts';
import { type CommandResult, type Env, runKedge } from './programs.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const HOUR = 3600;
const server = await startPostgres();

/** What `kedge train` makes of histories as they come. Each test goes on from the one before. */
describe(`a training on a history in ${server ? 'Postgres' : 'PGlite'}`, () => {
  let dir: string;
  let env: Env;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-histories-'));
    await mkdir(join(dir, 'bucket'));
    const history: Env = server ? { DATABASE_URL: server.url } : { KEDGE_HISTORY: join(dir, 'history') };
    env = { ...history, KEDGE_BUCKET: `file://${dir}/bucket`, KEDGE_GATE_RUN_SECONDS: '5' };
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const kedge = (...words: string[]): Promise<CommandResult> => runKedge(words, env);
  const clock = new CityClock('Europe/Berlin');
  /** Lines of a zone: a rhythm by the clocks of the city, and chance. */
  const hours = (
    zone: string,
    from: string,
    days: number,
    change: (trips: number, hour: number) => number | undefined = (trips) => trips,
  ): string => {
    const random = seededRandom(zone.length);
    const start = Date.parse(`${from}T00:00Z`) / 1000;
    const lines = Array.from({ length: days * 24 }, (_, hour) => {
      const utc = start + hour * HOUR;
      const wallHour = Math.floor(clock.wallOf(utc) / HOUR) % 24;
      const trips = change(Math.round(3 * Math.abs(wallHour - 12) + 8 * random()), hour);
      return trips === undefined ? '' : `${zone},${hourText(utc)}Z,${trips}\n`;
    });
    return lines.join('');
  };
  const bring = async (what: 'trips' | 'weather', text: string): Promise<void> => {
    const file = join(dir, `${what}.csv`);
    await writeFile(file, text);
    const { code, err } = await kedge('history', 'import', what, file, '--time-zone', 'Europe/Berlin');
    expect(code, err).toBe(0);
  };

  it('that is empty, or not there, says what to do', async () => {
    const none = await kedge('train', '--all');
    expect(none.code).toBe(2);
    expect(none.err).toMatch(
      server
        ? /The history names nothing to train: it is empty\. Fill it first\./
        : /There is no history in .*kedge history import/,
    );
  });

  it('of one zone alone is a model, through the hour that the clocks leave out', async () => {
    await bring('trips', `zone,time,trips\n${hours('spring', '2026-02-15', 60)}`);
    const { code, out, err } = await kedge('train', '--all');
    expect(code, err).toBe(0);
    expect(out).toMatch(/^scooter-demand-spring +missing +version 1 /m);
  });

  it('of many zones is a model of each that can have one, and a sentence for each that cannot', async () => {
    await bring(
      'trips',
      `zone,time,trips\n${[
        hours('autumn', '2026-09-01', 75),
        hours('gaps', '2026-02-15', 60, (trips, hour) => (hour % 100 < 20 ? undefined : trips)),
        hours('constant', '2026-02-15', 60, () => 4),
        hours('holes', '2026-01-01', 120, (trips, hour) => (hour % 3 === 0 ? trips : undefined)),
        hours('short', '2026-02-15', 20),
      ].join('')}`,
    );
    // Of some of it nothing is known, or NaN.
    await bring('weather', 'time,temperature,precipitation,wind\n2026-03-01T12:00,NaN,,3\n2026-03-01T13:00,7,0,NaN\n');
    const { code, out } = await kedge('train', '--all', '--json');
    expect(code).toBe(42);
    const models = new Map(
      (JSON.parse(out).models as { model: string; outcome: string; message?: string }[]).map((one) => [
        one.model.replace('scooter-demand-', ''),
        `${one.outcome}: ${one.message ?? ''}`,
      ]),
    );
    expect(Object.fromEntries(models)).toEqual({
      autumn: 'published: ',
      gaps: 'published: ',
      constant: expect.stringMatching(
        /^failed: data-invalid: .*has the same number, 4, in all 1440 hours .*nothing can be learned/,
      ),
      holes: expect.stringMatching(/^failed: data-invalid: .*lacks \d+ of \d+ hours .*more than half: fill the gaps/),
      short: expect.stringMatching(/^failed: data-invalid: .*has 480 hours .*too few to learn from: at least 672/),
      // The same model on the same rows: no worse than itself.
      spring: 'published: ',
    });
  });
});
