import { Readable } from 'node:stream';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gbdt } from '../../../trainer/fit/gbdt/gbdt.ts';
import { hourText } from '../../../trainer/history/city-clock.ts';
import type { Database } from '../../../trainer/history/database.ts';
import { testDatabases } from '../../../trainer/history/testing/databases.ts';
import { rowMajor, withRows } from '../../../trainer/table.ts';
import estimator from '../estimator.ts';
import { ELEMENTS } from '../features.ts';
import { fillHistory } from './fill.ts';
import { type ImportOptions, importHolidays, importHourly } from './import-csv.ts';
import { readDay, readGaps, readOverview } from './overview.ts';
import { source } from './source.ts';
import { clearHistory } from './store.ts';

const HOUR = 3600;
const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

const all = await testDatabases();

describe.each(all)('a history in $title', ({ leftOut, open, remove }) => {
  let database: Database;
  beforeAll(async () => {
    if (leftOut) return;
    database = await open();
    await source.prepare(database);
  });
  beforeEach(async () => {
    if (!leftOut) await clearHistory(database);
  });
  afterAll(async () => {
    await database?.close();
    await remove();
  });
  const test = it.skipIf(leftOut);

  const city = { seed: 7, zones: 2, timeZone: 'Europe/Berlin' };
  const [from, to] = [at('2026-08-31T22:00'), at('2026-11-10T23:00')];
  const fill = (change: object = {}) => fillHistory(database, { ...city, from, to, ...change });
  const trips = (text: string, options: Partial<ImportOptions> = {}) =>
    importHourly(database, 'trips', Readable.from([Buffer.from(text)]), {
      file: 'trips.csv',
      timeZone: 'Europe/Berlin',
      ...options,
    });
  /** A file of `hours` hours from `start`, by what `value` says of each. */
  const hourly = (start: string, hours: number, value: (hour: number) => number | undefined, zone = 'west'): string =>
    Array.from({ length: hours }, (_, hour) => {
      const number = value(hour);
      return number === undefined ? '' : `${zone},${hourText(at(start) + hour * HOUR)}Z,${number}\n`;
    }).join('');
  const HEAD = 'zone,time,trips\n';
  const stored = (): Promise<object[]> =>
    database.query(
      `select zone, to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as utc, trips
        from scooter_demand.trips order by zone, hour`,
    );

  describe('that is made up', () => {
    test('can be learned from: each column of the estimator, in order of time, with notes', async () => {
      await fill();
      expect(await source.zones(database)).toEqual(['campus', 'centre']);
      const { table, target, times, notes } = await source.readTraining(database, 'centre');
      expect(table.columns.map(({ name }) => name)).toEqual(ELEMENTS.map(({ name }) => name));
      expect(table.columns.filter(({ kind }) => kind === 'categorical').map(({ name }) => name)).toEqual(['weekday']);
      expect(table.rows).toBeGreaterThan(1600);
      expect([target.length, times.length]).toEqual([table.rows, table.rows]);
      expect(times[0]).toBeGreaterThanOrEqual(from);
      expect([...times].every((time, row) => row === 0 || time > times[row - 1]!)).toBe(true);
      expect(notes[0]).toMatch(/^\d+ of \d+ hours are missing in \d+ gaps, the longest from 2026-.*Z\.$/);
    });

    test('trains on what the server makes of the rows that a caller posts, bit for bit', async () => {
      await fill();
      const window = { from: at('2026-10-20T00:00'), to: at('2026-11-01T00:00') };
      const set = await source.readTraining(database, 'centre');
      const rows = (await source.readRows(database, 'centre', window)).filter(({ target }) => target !== undefined);
      const posted = estimator.encode(JSON.parse(JSON.stringify(rows.map(({ row }) => row)))).get('features')!;
      const learned = rowMajor(set.table);
      const byTime = new Map([...set.times].map((time, row) => [time, row]));
      expect(rows.length).toBeGreaterThan(250);
      for (const [index, { utc, target }] of rows.entries()) {
        const row = byTime.get(utc)!;
        expect(set.target[row]).toBe(target);
        const width = ELEMENTS.length;
        const got = learned.slice(row * width, (row + 1) * width);
        expect(got).toEqual(posted.data.slice(index * width, (index + 1) * width));
      }
    });

    test('makes a model whose file answers to the rows of a caller, and better than last week would', async () => {
      await fill({ from: at('2025-12-31T23:00') });
      const set = await source.readTraining(database, 'centre');
      const heldOut = to - 10 * 24 * HOUR;
      const before = Uint32Array.from(set.times.keys()).filter((row) => set.times[row]! < heldOut - 48 * HOUR);
      const fitted = await gbdt.fit(withRows(set, before), { settings: { objective: 'poisson', trees: 60 } });
      const rows = await source.readRows(database, 'centre', { from: heldOut, to });
      const known = rows.filter(({ target, row }) => target !== undefined && row['trips_week_ago'] !== undefined);
      const { data, shape } = estimator.encode(known.map(({ row }) => row)).get('features')!;
      const session = await InferenceSession.create(fitted.onnx());
      const outputs = await session.run({ features: new Tensor('float32', data as Float32Array, [...shape]) });
      const answers = estimator.decode(
        new Map([
          [
            'prediction',
            { datatype: 'FP32', shape: [known.length, 1], data: outputs['prediction']!.data as Float32Array },
          ],
        ]),
        known.map(({ row }) => row),
      ) as { trips: number }[];
      const errors = known.map(({ row, target }, index) => ({
        model: Math.abs(answers[index]!.trips - target!),
        lastWeek: Math.abs(Number(row['trips_week_ago']) - target!),
      }));
      const sum = (of: 'model' | 'lastWeek'): number => errors.reduce((total, error) => total + error[of], 0);
      expect(known.length).toBeGreaterThan(200);
      expect(sum('model')).toBeLessThan(0.85 * sum('lastWeek'));
    });

    test('has rows for tomorrow, whose lags are known and whose trips are not', async () => {
      await fill();
      const rows = await source.readRows(database, 'campus', { from: to, to: to + 24 * HOUR });
      expect(rows.map(({ target }) => target)).toEqual(Array(rows.length).fill(undefined));
      expect(rows.length).toBeGreaterThan(22);
      expect(rows[12]!.row).toMatchObject({ time: '2026-11-11T12:00', holiday: false });
      expect(Object.keys(rows[12]!.row)).toContain('trips_mean_4_weeks');
    });

    test('reads the same for a window as for that part of the whole', async () => {
      await fill();
      const whole = await source.readTraining(database, 'centre');
      const start = at('2026-10-05T00:00');
      const part = await source.readTraining(database, 'centre', { from: start });
      const skipped = whole.times.findIndex((time) => time >= start);
      expect(part.table.rows).toBe(whole.table.rows - skipped);
      expect(rowMajor(part.table)).toEqual(rowMajor(whole.table).slice(skipped * ELEMENTS.length));
    });

    test('is gone on with by the same settings, as if it had been made up at once', async () => {
      await fill({ to: at('2026-10-01T00:00') });
      await fill({ from: at('2026-09-20T00:00') });
      const parts = await stored();
      await clearHistory(database);
      const progress: [number, number][] = [];
      const filled = await fill({ onProgress: (done: number, total: number) => progress.push([done, total]) });
      expect(await stored()).toEqual(parts);
      expect(filled.hours).toBe(parts.length);
      expect(progress.at(-1)![0]).toBeLessThanOrEqual(progress.at(-1)![1]);
    });

    test('takes no other beside it, unless that replaces it', async () => {
      await fill();
      await expect(fill({ seed: 8 })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/one made up with .*"seed":7.*--replace/),
      });
      await expect(trips(HEAD)).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/made up/) });
      await fill({ zones: 1, replace: true });
      expect(await source.zones(database)).toEqual(['campus']);
    });

    test('can be looked at', async () => {
      await fill();
      const { city: there, zones, weather, holidays } = await readOverview(database, 10);
      expect(there).toMatchObject({ timeZone: 'Europe/Berlin', source: 'synthetic' });
      expect(zones.map(({ zone }) => zone)).toEqual(['campus', 'centre']);
      const [campus] = zones;
      expect(campus!.hours + campus!.missing).toBe((campus!.last - campus!.first) / HOUR + 1);
      const gaps = await readGaps(database, 'campus', 1000);
      expect(gaps).toHaveLength(campus!.gaps);
      expect(gaps.reduce((sum, { hours }) => sum + hours, 0)).toBe(campus!.missing);
      expect(gaps[0]!.hours).toBe(campus!.longestGap);
      expect(campus!.course).toHaveLength(10);
      expect(campus!.course.every((mean) => mean !== null && mean > 0)).toBe(true);
      expect(weather.hours).toBeGreaterThan(1600);
      expect(holidays).toBe(9);
      const { weekdays, weekend } = await readDay(database, 'campus', 'Europe/Berlin');
      expect(weekdays[9]!).toBeGreaterThan(4 * weekend[9]!);
    });
  });

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
        await clearHistory(database);
        await expect(trips(text(order))).resolves.toEqual({ rows: 4, notes: [] });
        expect(await stored()).toMatchObject(want);
      }
      await clearHistory(database);
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
      await expect(importHourly(database, 'weather', stream(text), options)).resolves.toEqual({ rows: 2, notes: [] });
      expect(
        await database.query('select temperature, precipitation, wind from scooter_demand.weather order by hour'),
      ).toEqual([
        { temperature: 7.5, precipitation: 0, wind: 3 },
        { temperature: null, precipitation: null, wind: 3 },
      ]);
      const hot = 'time,temperature,precipitation,wind\n2026-07-01T12:00,75,0,3\n';
      await expect(importHourly(database, 'weather', stream(hot), options)).rejects.toThrow(
        /line 2: temperature is '75', which is no number from -60 to 60/,
      );
      await importHolidays(database, stream('day,name\n2026-12-25,Christmas\n'), options);
      await expect(importHolidays(database, stream('day,name\n25.12.2026,Christmas\n'), options)).rejects.toThrow(
        /line 2: '25\.12\.2026' is no day; write it as 2026-11-24/,
      );
    });
  });

  describe('to learn from', () => {
    const learn = (zone = 'west', window = {}) => source.readTraining(database, zone, window);
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
      const twice = database.transaction(async (session) => {
        await session.query('alter table scooter_demand.trips drop constraint trips_pkey');
        await session.query(`insert into scooter_demand.trips values ('west', '2026-06-05T00:00Z', 9)`);
        const reading = { ...database, query: session.query, cursor: session.cursor };
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

    test('through both changes of the clocks keeps to the clocks', async () => {
      const clockHour = (utc: number): number =>
        Number(
          new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' }).format(
            utc * 1000,
          ),
        );
      for (const [start, hours] of [
        ['2026-03-01T00:00', 1400],
        ['2026-10-01T00:00', 1400],
      ] as const) {
        await clearHistory(database);
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
});
