import { fillHistory } from '../../examples/scooter-demand/history/fill.ts';
import type { CitySettings } from '../../examples/scooter-demand/history/synthetic/city.ts';
import { systemClock } from '../../platform/clock.ts';
import { integer, readSettings } from '../../platform/settings.ts';
import { CityClock, dayText } from '../../trainer/history/city-clock.ts';
import type { Database } from '../../trainer/history/database.ts';
import { writeJson } from '../bucket.ts';
import { type Context, INTERRUPTED } from '../command.ts';
import { progressOn } from '../progress.ts';
import type { Action, Work } from './action.ts';

const DAY = 86_400;

/** What a wrong number is called by; they are flags and no settings. */
const numbers = {
  zones: integer('--zones', 'zones', { min: 1, max: 10_000, default: '8' }),
  days: integer('--days', 'days', { min: 1, max: 3_660, default: '730' }),
  seed: integer('--seed', 'seed', { min: 0, max: 2 ** 31 - 1, default: '1' }),
};

export const fillAction: Action = {
  words: [0, 0],
  options: ['zones', 'days', 'until', 'seed', 'replace', 'time-zone'],
  creates: true,
  plan: planFill,
};

function planFill(context: Context): Work {
  const { values } = context;
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const given = Object.fromEntries(Object.keys(numbers).map((name) => [`--${name}`, text(name)]));
  const { zones, days, seed } = readSettings(numbers, given);
  const timeZone = text('time-zone') ?? 'Europe/Berlin';
  const clock = new CityClock(timeZone);
  const to = clock.startOf(text('until') ?? dayText(clock.wallOf(systemClock.now() / 1000)));
  const from = clock.startOf(dayText(clock.wallOf(to) - days * DAY));
  return (database) => fill(context, database, { seed, zones, timeZone, from, to });
}

async function fill(
  context: Context,
  database: Database,
  settings: CitySettings & { from: number; to: number },
): Promise<number> {
  const { values, out, err, signal } = context;
  const { zones, timeZone, from, to } = settings;
  const clock = new CityClock(timeZone);
  const progress = progressOn(err, systemClock);
  try {
    const filled = await fillHistory(database, {
      ...settings,
      signal,
      replace: values['replace'] === true,
      onProgress: (done, total) => progress.show({ phase: 'making up', bytes: done, totalBytes: total, unit: 'hours' }),
    });
    progress.end();
    if (values['json']) writeJson(context, { place: database.place, from, to, ...filled });
    else {
      const days = `${dayText(clock.wallOf(from))} to before ${dayText(clock.wallOf(to))}`;
      out.write(`Made up ${filled.hours} hours of ${zones} zones, from ${days}, in ${database.place}.\n`);
    }
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write('kedge: interrupted. The same call goes on with what is there.\n');
    return INTERRUPTED;
  } finally {
    progress.end();
  }
}
