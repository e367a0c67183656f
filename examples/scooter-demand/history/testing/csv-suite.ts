import { Readable } from 'node:stream';
import { describe, expect } from 'vitest';
import { importHolidays, importHourly } from '../import-csv.ts';
import { clearHistory } from '../store.ts';
import { type Harness, HEAD } from './harness.ts';

export function csvSuite({ database, test, trips, stored }: Harness): void {
  describe('from CSV', () => {
    test('takes hours with an offset, and by the clocks of the city, in whatever order of columns', async () => {
      const text =
        '\uFEFFTrips;shop;zone;time\n3;a;west;2026-07-01T12:00\n4;b;west;"2026-07-01 13:00+02:00"\n5;c;west;2026-07-01T12:00Z\n';
      await expect(trips(text)).resolves.toEqual({ rows: 3, notes: [] });
      expect(await stored()).toEqual([
        { zone: 'west', utc: '2026-07-01T10:00', trips: 3 },
        { zone: 'west', utc: '2026-07-01T11:00', trips: 4 },
        { zone: 'west', utc: '2026-07-01T12:00', trips: 5 },
      ]);
    });

    test('refuses the whole file for lines that are wrong, and names them', async () => {
      const wrong = [
        'West,2026-07-01T12:00,1',
        'west,2026-07-01T12:30,1',
        'west,2026-03-29T02:00,1',
        'west,2026-02-30T02:00,1',
        'west,yesterday,1',
        'west,2026-07-01T12:00,-1',
        'west,2026-07-01T12:00,NaN',
        'west,2026-07-01T12:00,1.5',
      ];
      const failed = trips(`${HEAD}west,2026-07-01T11:00,7\n${wrong.join('\n')}\n`);
      await expect(failed).rejects.toMatchObject({ code: 'data-invalid' });
      const { message } = (await failed.catch((error: Error) => error as Error)) as Error;
      expect(message.split('\n')).toEqual([
        '8 lines of trips.csv cannot be taken, and nothing was imported:',
        expect.stringMatching(/^ {2}line 3: zone is 'West'; zones are named by .* as their models are$/),
        "  line 4: time is '2026-07-01T12:30', which is not on the full hour by the clocks of Europe/Berlin",
        expect.stringMatching(
          /^ {2}line 5: time is '2026-03-29T02:00', an hour that Europe\/Berlin does not have, .*offset/,
        ),
        "  line 6: time is '2026-02-30T02:00', a day or hour that the calendar does not have",
        "  line 7: time is 'yesterday', which is no time such as 2026-11-23T17:00 or 2026-11-23T16:00Z",
        "  line 8: trips is '-1', which is no whole number from 0",
        "  line 9: trips is 'NaN', which is no whole number from 0",
        "  line 10: trips is '1.5', which is no whole number from 0",
        'Correct them, or give --skip-bad to leave them out.',
      ]);
      expect(await stored()).toEqual([]);
      const { rows, notes } = await trips(`${HEAD}west,2026-07-01T11:00,7\n${wrong.join('\n')}\n`, { skipBad: true });
      expect({ rows, notes }).toEqual({
        rows: 1,
        notes: [expect.stringMatching(/^8 lines of trips\.csv were left out:/)],
      });
    });

    test('tells the two hours apart that the clocks show alike, forwards and backwards in time', async () => {
      const lines = ['2026-10-25T01:00,1', '2026-10-25T02:00,2', '2026-10-25T02:00,3', '2026-10-25T03:00,4'];
      const want = [
        { utc: '2026-10-24T23:00', trips: 1 },
        { utc: '2026-10-25T00:00', trips: 2 },
        { utc: '2026-10-25T01:00', trips: 3 },
        { utc: '2026-10-25T02:00', trips: 4 },
      ];
      const text = (order: string[]): string => `${HEAD}${order.map((line) => `west,${line}\n`).join('')}`;
      for (const order of [lines, lines.toReversed()]) {
        await clearHistory(database());
        await expect(trips(text(order))).resolves.toEqual({ rows: 4, notes: [] });
        expect(await stored()).toMatchObject(want);
      }
      await clearHistory(database());
      const { notes } = await trips(text(lines.slice(0, 2)));
      expect(notes).toEqual([
        '1 hour that the clocks of Europe/Berlin showed twice is in the file once, and taken for the earlier.',
      ]);
      expect(await stored()).toMatchObject(want.slice(0, 2));
      await expect(trips(text([...lines, lines[1]!]))).rejects.toThrow(/line 6: is the third of an hour/);
    });

    test('takes an hour that comes twice alike once, and refuses it where the two differ', async () => {
      const line = 'west,2026-07-01T12:00Z,';
      await expect(trips(`${HEAD}${line}7\n${line}7\n`)).resolves.toEqual({
        rows: 1,
        notes: ['1 row came twice alike and counts once.'],
      });
      await expect(trips(`${HEAD}${line}7\n${line}8\n`)).rejects.toThrow(
        /2 lines of trips\.csv.*\n {2}line 2: zone 'west' at 2026-07-01T12:00Z has another value in line 3\nCorrect/,
      );
    });

    test('replaces what was there, and says so', async () => {
      await trips(`${HEAD}west,2026-07-01T12:00Z,7\nwest,2026-07-01T13:00Z,7\n`);
      const { notes } = await trips(`${HEAD}west,2026-07-01T12:00Z,7\nwest,2026-07-01T13:00Z,8\n`, {
        timeZone: undefined,
      });
      expect(notes).toEqual(['1 hour that was there before has another value now.']);
      expect(await stored()).toMatchObject([{ trips: 7 }, { trips: 8 }]);
    });

    test.each([
      ['no rows', HEAD, {}, /trips\.csv has no rows that can be taken/],
      ['nothing in it', '', {}, /trips\.csv has no rows that can be taken/],
      ['no header', 'west,2026-07-01T12:00Z,7\n', {}, /lacks 'zone' and 'time' and 'trips' among its columns \(west, /],
      ['lines of other lengths', `${HEAD}west,1\n`, {}, /trips\.csv cannot be read: .*line 2/],
      ['no time zone', `${HEAD}west,2026-07-01T12:00Z,7\n`, { timeZone: undefined }, /--time-zone Europe\/Berlin/],
      ['a time zone that is none', `${HEAD}`, { timeZone: 'Berlin' }, /'Berlin' is no time zone/],
    ])('refuses a file with %s', async (_what, text, options, sentence) =>
      expect(trips(text, options)).rejects.toThrow(sentence),
    );

    test('refuses another time zone than that of the history', async () => {
      await trips(`${HEAD}west,2026-07-01T12:00Z,7\n`);
      await expect(trips(HEAD, { timeZone: 'UTC' })).rejects.toThrow(/of a city in Europe\/Berlin, not in UTC/);
    });

    test('takes weather, of which some may not be known, and holidays', async () => {
      const options = { file: 'weather.csv', timeZone: 'UTC' };
      const stream = (text: string) => Readable.from([Buffer.from(text)]);
      const text = 'time,temperature,precipitation,wind\n2026-07-01T12:00,7.5,0,3\n2026-07-01T13:00,NaN,,3\n';
      await expect(importHourly(database(), 'weather', stream(text), options)).resolves.toEqual({ rows: 2, notes: [] });
      expect(
        await database().query('select temperature, precipitation, wind from scooter_demand.weather order by hour'),
      ).toEqual([
        { temperature: 7.5, precipitation: 0, wind: 3 },
        { temperature: null, precipitation: null, wind: 3 },
      ]);
      const hot = 'time,temperature,precipitation,wind\n2026-07-01T12:00,75,0,3\n';
      await expect(importHourly(database(), 'weather', stream(hot), options)).rejects.toThrow(
        /line 2: temperature is '75', which is no number from -60 to 60/,
      );
      await importHolidays(database(), stream('day,name\n2026-12-25,Christmas\n'), options);
      await expect(importHolidays(database(), stream('day,name\n25.12.2026,Christmas\n'), options)).rejects.toThrow(
        /line 2: '25\.12\.2026' is no day; write it as 2026-11-24/,
      );
    });
  });
}
