import { KedgeError } from '../../contract/errors.ts';
import { SCHEMA } from '../../examples/scooter-demand/history/schema.ts';
import { systemClock } from '../../platform/clock.ts';
import { readSettings } from '../../platform/settings.ts';
import { historySettings } from '../../trainer/config.ts';
import { migrate } from '../../trainer/history/migrate.ts';
import { openHistory } from '../../trainer/history/open.ts';
import { JSON_OPTION, writeJson } from '../bucket.ts';
import type { Command, Context } from '../command.ts';
import type { Action, Work } from '../history/action.ts';
import { fillAction } from '../history/fill.ts';
import { importAction } from '../history/import.ts';
import { showAction } from '../history/show.ts';
import { refuseIdle } from '../idle-options.ts';

const USAGE = 'kedge history fill | import KIND FILE | show [ZONE] | migrate';

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
    const others = OWN_OPTIONS.filter((name) => !known.options.includes(name));
    refuseIdle(context.values, others, `cannot go with kedge history ${action}; kedge history --help says what can.`);
    const work = await known.plan(context, words);
    // A folder that is named is meant, whatever the environment says.
    const env = context.values['folder'] === undefined ? context.env : { ...context.env, DATABASE_URL: '' };
    const database = await openHistory(readSettings(historySettings, env), {
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

const ACTIONS: Record<string, Action> = {
  fill: fillAction,
  import: importAction,
  show: showAction,
  migrate: { words: [0, 0], options: [], creates: true, plan: planMigrate },
};

/** What goes with one of them or more, and not with all. */
const OWN_OPTIONS = [...new Set(Object.values(ACTIONS).flatMap(({ options }) => options))];

function planMigrate(context: Context): Work {
  return async ({ place }, { length: steps }) => {
    if (context.values['json']) {
      writeJson(context, { place, steps });
      return 0;
    }
    const what =
      steps === 0 ? 'were up to date' : `are up to date now: ${steps === 1 ? '1 step' : `${steps} steps`} done`;
    context.out.write(`The tables in ${place} ${what}.\n`);
    return 0;
  };
}
