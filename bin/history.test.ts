import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runKedge } from '../tests/e2e/programs.ts';
import { sparkline } from './history/text.ts';

describe('kedge history', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-history-'));
  });
  afterAll(() => rm(dir, { recursive: true }));
  const history = (...words: string[]): Promise<CommandResult> =>
    runKedge(['history', ...words], { KEDGE_HISTORY: join(dir, 'history'), DATABASE_URL: '' });

  it('says where there is none yet, and begins none by looking', async () => {
    expect(await history('show')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/There is no history in .*fill/),
    });
    expect(await history('show')).toMatchObject({ code: 2 });
  });

  it('makes one up, and shows it', async () => {
    const { code, out, err } = await history('fill', '--zones', '2', '--days', '35', '--until', '2026-11-22');
    // On a machine that is busy it takes long enough for its progress to be told.
    expect([code, err]).toEqual([0, expect.stringMatching(/^(making up .* hours\n)*$/)]);
    expect(out).toMatch(/^Made up 1\d{3} hours of 2 zones, from 2026-10-18 to before 2026-11-22, in .*history\.\n$/);
    const shown = await history('show', 'campus');
    expect(shown.out).toMatch(
      /^1 zone in Europe\/Berlin, made up .*\n\nZONE .*\ncampus +2026-10-18 +2026-11-21 .*[▁▂▃▄▅▆▇█]{5}/,
    );
    expect(shown.out).toMatch(/\nMonday to Friday +[▁▂▃▄▅▆▇█]{24} {2}most at \d\d:00, \d+\.\d trips an hour\n/);
    await writeFile(join(dir, 'trips.csv'), 'zone,time,trips\n');
    expect(await history('import', 'trips', join(dir, 'trips.csv'))).toMatchObject({
      code: 4,
      err: expect.stringMatching(/is made up\. Import into another/),
    });
  }, 60_000);

  it.each([
    [
      ['fill', '--days', 'many', '--zones', '0'],
      /--zones must be .*\n--days must be a whole number from 1 to 3660, not 'many'/,
    ],
    [['fill', '--until', 'tomorrow'], /'tomorrow' is no day; write it as/],
    [['import', 'rides', 'x.csv'], /'rides' is none of trips, weather, holidays/],
    [['import', 'trips'], /a word is missing, too many or unknown. Usage: kedge history fill/],
    [['import', 'trips', '/no/such.csv'], /\/no\/such\.csv cannot be read: ENOENT/],
    [
      ['import', 'trips', 't2.csv', '--replace', '--days', '3'],
      /--days, --replace cannot go with kedge history import; kedge history --help/,
    ],
    [['show', '--time-zone', 'UTC'], /--time-zone cannot go with kedge history show/],
    [['migrate', '--skip-bad'], /--skip-bad cannot go with/],
    [['toString'], /a word is missing, too many or unknown/],
  ])('refuses %j before it opens anything', async (words, sentence) =>
    expect(await history(...words)).toMatchObject({ code: 2, err: expect.stringMatching(sentence) }),
  );

  it('draws curves from 0 to their highest', () => {
    expect(sparkline([0, 4, null, 8])).toBe('▁▅ █');
    expect(sparkline([0, 0])).toBe('▁▁');
    expect(sparkline([])).toBe('');
  });
});
