import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { fillHistory } from '../../examples/scooter-demand/history/fill.ts';
import { importHolidays, importHourly } from '../../examples/scooter-demand/history/import-csv.ts';
import { readDay, readGaps, readOverview } from '../../examples/scooter-demand/history/overview.ts';
import { SCHEMA } from '../../examples/scooter-demand/history/schema.ts';
import type { CitySettings } from '../../examples/scooter-demand/history/synthetic/city.ts';
import { systemClock } from '../../platform/clock.ts';
import { integer, readSettings } from '../../platform/settings.ts';
import { historySettings } from '../../trainer/config.ts';
import { CityClock, dayText } from '../../trainer/history/city-clock.ts';
import type { Database } from '../../trainer/history/database.ts';
import { migrate } from '../../trainer/history/migrate.ts';
import { openHistory } from '../../trainer/history/open.ts';
import { JSON_OPTION, writeJson, writeNotes } from '../bucket.ts';
import type { Command, Context } from '../command.ts';
import { overviewText, zoneText } from '../history/show.ts';
import { progressOn } from '../progress.ts';

const INTERRUPTED = 130;
const DAY = 86_400;

/** Numbers in a course, and gaps that are told. */
const PARTS = 36;
const GAPS = 10;

const USAGE = 'kedge history fill | import KIND FILE | show [ZONE] | migrate';

/** What a wrong number is called by; they are flags and no settings. */
const numbers = {
  zones: integer('--zones', 'zones', { min: 1, max: 10_000, default: '8' }),
  days: integer('--days', 'days', { min: 1, max: 3_660, default: '730' }),
  seed: integer('--seed', 'seed', { min: 0, max: 2 ** 31 - 1, default: '1' }),
};

export const command: Command = {
  summary: 'Fills, imports and shows the history that models learn from.',
  usage: 'fill | import KIND FILE | show [ZONE] | migrate',
  about: `fill     makes up the trips of a city (nothing in it was measured); again with the same settings, it goes on with it
import   brings a CSV file in, all of it or nothing. KIND and columns: trips (zone, time, trips),
         weather (time, temperature, precipitation, wind), holidays (day, name). Times are by the clocks
         of the city (2026-11-23T17:00) or have an offset (2026-11-23T16:00Z)
show     says what there is, zone by zone; or more of one zone
migrate  brings the tables up to date, which the others do, too

  kedge history fill --zones 4 --days 400
  kedge history import trips trips.csv --time-zone Europe/Berlin`,
  options: {
    zones: { type: 'string', value: 'N', about: 'fill: how many zones (8)' },
    days: { type: 'string', value: 'N', about: 'fill: how many days (730)' },
    until: { type: 'string', value: 'DAY', about: 'fill: the day before which it ends (today)' },
    seed: { type: 'string', value: 'N', about: 'fill: another seed makes up another city (1)' },
    replace: { type: 'boolean', about: 'fill: takes out first what is there' },
    'time-zone': {
      type: 'string',
      value: 'NAME',
      about: 'fill, first import: where the city is (fill: Europe/Berlin)',
    },
    'skip-bad': { type: 'boolean', about: 'import: leaves lines out that cannot be taken, instead of taking none' },
    folder: {
      type: 'string',
      value: 'DIR',
      about: 'the folder, instead of KEDGE_HISTORY',
      env: historySettings.historyFolder.env,
    },
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 3 },
  settings: historySettings,
  async run(context) {
    const [action = '', ...words] = context.positionals;
    const known = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!known || words.length < known.words[0] || words.length > known.words[1]) {
      throw new KedgeError('config-invalid', `a word is missing, too many or unknown. Usage: ${USAGE}`);
    }
    const work = await known.plan(context, words);
    const database = await openHistory(readSettings(historySettings, context.env), {
      clock: systemClock,
      create: known.creates,
    });
    try {
      return await work(database, await migrate(database, SCHEMA));
    } finally {
      await database.close();
    }
  },
};

/** @returns the exit code */
type Work = (database: Database, migrated: number[]) => Promise<number>;

interface Action {
  /** How many words follow it: at least, at most. */
  words: readonly [number, number];
  /** Where there is no history yet, begins one. */
  creates: boolean;
  /** Checks what was asked for, before a database is opened. */
  plan(context: Context, words: readonly string[]): Work | Promise<Work>;
}

const ACTIONS: Record<string, Action> = {
  fill: { words: [0, 0], creates: true, plan: planFill },
  import: { words: [2, 2], creates: true, plan: planImport },
  show: { words: [0, 1], creates: false, plan: planShow },
  migrate: { words: [0, 0], creates: true, plan: planMigrate },
};

function planMigrate({ out }: Context): Work {
  return async ({ place }, { length: steps }) => {
    const what =
      steps === 0 ? 'were up to date' : `are up to date now: ${steps === 1 ? '1 step' : `${steps} steps`} done`;
    out.write(`The tables in ${place} ${what}.\n`);
    return 0;
  };
}

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

const KINDS = ['trips', 'weather', 'holidays'] as const;

async function planImport(context: Context, words: readonly string[]): Promise<Work> {
  const [name, path] = words as [string, string];
  const kind = KINDS.find((one) => one === name);
  if (!kind) throw new KedgeError('config-invalid', `'${name}' is none of ${KINDS.join(', ')}. Usage: ${USAGE}`);
  const { size } = await stat(path).catch((error: unknown) => {
    throw new KedgeError('source-invalid', `${path} cannot be read: ${messageOf(error)}.`);
  });
  return (database) => importFile(context, database, { kind, path, size });
}

async function importFile(
  context: Context,
  database: Database,
  { kind, path, size }: { kind: (typeof KINDS)[number]; path: string; size: number },
): Promise<number> {
  const { values, out, err } = context;
  const stream = createReadStream(path);
  const progress = progressOn(err, systemClock);
  const options = {
    file: basename(path),
    timeZone: values['time-zone'] as string | undefined,
    skipBad: values['skip-bad'] === true,
    onProgress: () => progress.show({ phase: 'reading', bytes: stream.bytesRead, totalBytes: size }),
  };
  try {
    const imported =
      kind === 'holidays'
        ? await importHolidays(database, stream, options)
        : await importHourly(database, kind, stream, options);
    progress.end();
    if (values['json']) writeJson(context, { place: database.place, kind, ...imported });
    else {
      writeNotes(context, imported.notes);
      out.write(`Imported ${imported.rows} rows of ${kind} from ${options.file} into ${database.place}.\n`);
    }
    return 0;
  } finally {
    progress.end();
    stream.destroy();
  }
}

function planShow(context: Context, [name]: readonly string[]): Work {
  return (database) => show(context, database, name);
}

async function show(context: Context, database: Database, name: string | undefined): Promise<number> {
  const { values, out } = context;
  const overview = await readOverview(database, PARTS);
  const { city } = overview;
  const zones = name === undefined ? overview.zones : overview.zones.filter(({ zone }) => zone === name);
  if (name !== undefined && zones.length === 0) {
    throw new KedgeError('data-invalid', `The history in ${database.place} has no zone '${name}'.`);
  }
  const clock = new CityClock(city?.timeZone ?? 'UTC');
  const closer = name !== undefined && {
    day: await readDay(database, name, clock.timeZone),
    longestGaps: await readGaps(database, name, GAPS),
  };
  if (values['json']) writeJson(context, { place: database.place, ...overview, zones, ...closer });
  else if (!city) {
    out.write(`The history in ${database.place} is empty. kedge history fill makes one up, import brings one in.\n`);
  } else {
    out.write(overviewText({ ...overview, zones }, clock));
    if (closer) out.write(`\n${zoneText(closer.day, closer.longestGaps, clock)}`);
  }
  return 0;
}
