import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect } from 'vitest';
import { gbdt } from '../../../../trainer/fit/gbdt/gbdt.ts';
import { rowMajor, withRows } from '../../../../trainer/table.ts';
import estimator from '../../estimator.ts';
import { ELEMENTS } from '../../features.ts';
import { readDay, readGaps, readOverview } from '../overview.ts';
import { source } from '../source.ts';
import { clearHistory } from '../store.ts';
import { at, FROM as from, type Harness, HEAD, HOUR, TO as to } from './harness.ts';

export function syntheticSuite({ database, test, fill, trips, stored }: Harness): void {
  describe('that is made up', () => {
    test('can be learned from: each column of the estimator, in order of time, with notes', async () => {
      await fill();
      expect(await source.zones(database())).toEqual(['campus', 'centre']);
      const { table, target, times, notes } = await source.readTraining(database(), 'centre');
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
      const set = await source.readTraining(database(), 'centre');
      const rows = (await source.readRows(database(), 'centre', window)).filter(({ target }) => target !== undefined);
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
      const set = await source.readTraining(database(), 'centre');
      const heldOut = to - 10 * 24 * HOUR;
      const before = Uint32Array.from(set.times.keys()).filter((row) => set.times[row]! < heldOut - 48 * HOUR);
      const fitted = await gbdt.fit(withRows(set, before), { settings: { objective: 'poisson', trees: 60 } });
      const rows = await source.readRows(database(), 'centre', { from: heldOut, to });
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
      const rows = await source.readRows(database(), 'campus', { from: to, to: to + 24 * HOUR });
      expect(rows.map(({ target }) => target)).toEqual(Array(rows.length).fill(undefined));
      expect(rows.length).toBeGreaterThan(22);
      expect(rows[12]!.row).toMatchObject({ time: '2026-11-11T12:00', holiday: false });
      expect(Object.keys(rows[12]!.row)).toContain('trips_mean_4_weeks');
    });

    test('reads the same for a window as for that part of the whole', async () => {
      await fill();
      const whole = await source.readTraining(database(), 'centre');
      const start = at('2026-10-05T00:00');
      const part = await source.readTraining(database(), 'centre', { from: start });
      const skipped = whole.times.findIndex((time) => time >= start);
      expect(part.table.rows).toBe(whole.table.rows - skipped);
      expect(rowMajor(part.table)).toEqual(rowMajor(whole.table).slice(skipped * ELEMENTS.length));
    });

    test('is gone on with by the same settings, as if it had been made up at once', async () => {
      await fill({ to: at('2026-10-01T00:00') });
      await fill({ from: at('2026-09-20T00:00') });
      const parts = await stored();
      await clearHistory(database());
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
      expect(await source.zones(database())).toEqual(['campus']);
    });

    test('can be looked at', async () => {
      await fill();
      const { city: there, zones, weather, holidays } = await readOverview(database(), 10);
      expect(there).toMatchObject({ timeZone: 'Europe/Berlin', source: 'synthetic' });
      expect(zones.map(({ zone }) => zone)).toEqual(['campus', 'centre']);
      const [campus] = zones;
      expect(campus!.hours + campus!.missing).toBe((campus!.last - campus!.first) / HOUR + 1);
      const gaps = await readGaps(database(), 'campus', 1000);
      expect(gaps).toHaveLength(campus!.gaps);
      expect(gaps.reduce((sum, { hours }) => sum + hours, 0)).toBe(campus!.missing);
      expect(gaps[0]!.hours).toBe(campus!.longestGap);
      expect(campus!.course).toHaveLength(10);
      expect(campus!.course.every((mean) => mean !== null && mean > 0)).toBe(true);
      expect(weather.hours).toBeGreaterThan(1600);
      expect(holidays).toBe(9);
      const { weekdays, weekend } = await readDay(database(), 'campus', 'Europe/Berlin');
      expect(weekdays[9]!).toBeGreaterThan(4 * weekend[9]!);
    });
  });
}
