import { describe, expect } from 'vitest';
import { source } from '../source.ts';
import { clearHistory, writeHolidays } from '../store.ts';
import { at, type Harness, HEAD, HOUR, hourly } from './harness.ts';

export function learningSuite({ database, test, trips }: Harness): void {
  describe('to learn from', () => {
    const learn = (zone = 'west', window = {}) => source.readTraining(database(), zone, window);
    const wave = (hour: number): number => (hour * 7) % 11;

    test.each<[string, () => Promise<unknown>, () => Promise<unknown>, RegExp]>([
      ['that is empty', async () => undefined, () => learn(), /^The history in .* is empty: kedge history import/],
      [
        'without the zone',
        () => trips(HEAD + hourly('2026-06-01T00:00', 700, wave)),
        () => learn('wesst'),
        /has no zone 'wesst' among its 1; is 'west' meant\?$/,
      ],
      [
        'that ends before the window',
        () => trips(HEAD + hourly('2026-06-01T00:00', 700, wave)),
        () => learn('west', { from: at('2026-08-01T00:00') }),
        /zone 'west' has no hours in the window; it reaches from 2026-06-01T00:00Z to 2026-06-30T03:00Z/,
      ],
      [
        'that is too short',
        () => trips(HEAD + hourly('2026-06-01T00:00', 671, wave)),
        () => learn(),
        /has 671 hours from 2026-06-01T00:00Z to .*, too few to learn from: at least 672 are needed/,
      ],
      [
        'with more gaps than hours',
        () => trips(HEAD + hourly('2026-06-01T00:00', 2100, (hour) => (hour % 3 === 0 ? wave(hour) : undefined))),
        () => learn(),
        /lacks 1398 of 2098 hours .*, more than half/,
      ],
      [
        'that never changes',
        () => trips(HEAD + hourly('2026-06-01T00:00', 700, () => 3)),
        () => learn(),
        /has the same number, 3, in all 700 hours/,
      ],
    ])('%s is refused with a sentence', async (_what, prepare, read, sentence) => {
      await prepare();
      await expect(read()).rejects.toMatchObject({ code: 'data-invalid', message: expect.stringMatching(sentence) });
    });

    test('with an hour twice is refused, where the table does not forbid it', async () => {
      await trips(HEAD + hourly('2026-06-01T00:00', 700, wave));
      const twice = database().transaction(async (session) => {
        await session.query('alter table scooter_demand.trips drop constraint trips_pkey');
        await session.query(`insert into scooter_demand.trips values ('west', '2026-06-05T00:00Z', 9)`);
        const reading = { ...database(), query: session.query, cursor: session.cursor };
        await source.readTraining(reading, 'west');
      });
      await expect(twice).rejects.toThrow(/zone 'west' has the hour 2026-06-05T00:00Z twice: remove one of them/);
    });

    test('of one zone, with gaps and without weather, is a right table', async () => {
      const gap = (hour: number): boolean => hour >= 300 && hour < 310;
      await trips(HEAD + hourly('2026-06-01T00:00', 1000, (hour) => (gap(hour) ? undefined : wave(hour))));
      const { table, target, times, notes } = await learn();
      expect(notes).toEqual([
        '10 of 1000 hours are missing in one gap from 2026-06-13T12:00Z to 2026-06-13T22:00Z.',
        '990 of 990 hours lack weather, or some of it.',
      ]);
      const column = (name: string): Float32Array =>
        table.columns.find((one) => one.name === name)!.values as Float32Array;
      expect(table.rows).toBe(990);
      for (let row = 0; row < table.rows; row += 1) {
        const hour = (times[row]! - at('2026-06-01T00:00')) / HOUR;
        expect(target[row]).toBe(wave(hour));
        const dayAgo = hour < 24 || gap(hour - 24) ? Number.NaN : Math.fround(Math.log1p(wave(hour - 24)));
        expect(column('trips_day_ago')[row]).toBe(dayAgo);
      }
      expect(column('wind').every(Number.isNaN)).toBe(true);
      // The memory of a column is that of its hours, and not more.
      expect(column('wind').buffer.byteLength).toBe(1000 * 4);
    });

    test('knows holidays, from midnight to midnight by the clocks of the city', async () => {
      await trips(HEAD + hourly('2026-06-01T00:00', 700, wave));
      await writeHolidays(database(), [{ day: '2026-06-10', name: 'A day' }]);
      const { table, times } = await learn();
      const { values } = table.columns.find(({ name }) => name === 'holiday')!;
      const free = [...times].filter((_, row) => values[row] === 1);
      expect(free).toEqual(Array.from({ length: 24 }, (_, hour) => at('2026-06-09T22:00') + hour * HOUR));
    });

    test('through both changes of the clocks keeps to the clocks', async () => {
      const format = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' });
      const clockHour = (utc: number): number => Number(format.format(utc * 1000));
      for (const [start, hours] of [
        ['2026-03-01T00:00', 1400],
        ['2026-10-01T00:00', 1400],
      ] as const) {
        await clearHistory(database());
        // As many trips as the clocks show hours: whoever keeps to them finds the same number a day and a week ago.
        await trips(HEAD + hourly(start, hours, (hour) => clockHour(at(start) + hour * HOUR)));
        const { table, target, notes } = await learn();
        expect([table.rows, notes.length]).toEqual([hours, 1]);
        const values = (name: string) => table.columns.find((one) => one.name === name)!.values;
        let unknown = 0;
        for (let row = 14 * 24; row < hours; row += 1) {
          expect(values('hour')[row]).toBe(target[row]);
          for (const name of ['trips_day_ago', 'trips_2_days_ago', 'trips_week_ago', 'trips_2_weeks_ago']) {
            const lag = values(name)[row]!;
            if (Number.isNaN(lag)) unknown += 1;
            else expect(lag).toBe(Math.fround(Math.log1p(target[row]!)));
          }
        }
        // The hour that the clocks leave out in March is nobody's a day ago, two days ago, a week ago and two weeks ago.
        expect(unknown).toBe(start.startsWith('2026-03') ? 4 : 0);
      }
    });
  });
}
