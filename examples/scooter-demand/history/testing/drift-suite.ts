import { describe, expect } from 'vitest';
import { driftBaselineOf, driftedFeatures } from '../../../../trainer/evaluate/drift.ts';
import { seededRandom } from '../../../../trainer/fit/random.ts';
import { source } from '../source.ts';
import { at, type Harness, HEAD, HOUR, hourly } from './harness.ts';

const START = '2026-01-01T00:00';
const HOURS = 200 * 24;
const RECENT = 14 * 24;

export function driftSuite({ database, test, trips }: Harness): void {
  describe('to look for drift in', () => {
    const random = seededRandom(5);
    const chance = Float64Array.from({ length: HOURS }, random);
    const rhythm = (hour: number): number =>
      Math.round(12 + 10 * Math.sin((2 * Math.PI * hour) / 24) + 6 * chance[hour]!);
    const split = at(START) + (HOURS - RECENT) * HOUR;
    const drifted = async (): Promise<string[]> => {
      const learned = await source.readTraining(database(), 'west', { to: split });
      const window = { from: split, to: split + RECENT * HOUR };
      const table = await source.readRecent(database(), 'west', window);
      return driftedFeatures(driftBaselineOf(learned, 14), table).map(({ feature, what }) => `${feature}: ${what}`);
    };

    test.each<[string, (hour: number) => number | undefined, (found: string[]) => void]>([
      ['finds none where all goes on', rhythm, (found) => expect(found).toEqual([])],
      [
        'finds lags where there are three times as many trips',
        (hour) => (hour < HOURS - RECENT ? 1 : 3) * rhythm(hour),
        (found) => expect(found).toContain('trips_day_ago: values'),
      ],
      [
        'finds what the gaps of a sensor leave unknown',
        (hour) => (hour < HOURS - RECENT || hour % 24 < 16 ? rhythm(hour) : undefined),
        (found) => expect(found).toContain('hour: values'),
      ],
      [
        'finds nothing where there are no recent hours',
        (hour) => (hour < HOURS - RECENT ? rhythm(hour) : undefined),
        (found) => expect(found).toEqual([]),
      ],
    ])('%s', async (_, value, check) => {
      await trips(HEAD + hourly(START, HOURS, value));
      check(await drifted());
    });

    test('reads the very rows that a training would', async () => {
      await trips(HEAD + hourly(START, HOURS, rhythm));
      const { table } = await source.readTraining(database(), 'west');
      const window = { from: split, to: split + RECENT * HOUR };
      const recent = await source.readRecent(database(), 'west', window);
      expect(recent.rows).toBe(RECENT);
      for (const [index, { name, values }] of recent.columns.entries()) {
        const same = table.columns[index]!;
        expect([name, values]).toEqual([same.name, same.values.slice(HOURS - RECENT, HOURS)]);
      }
    });
  });
}
