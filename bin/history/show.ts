import { KedgeError } from '../../contract/errors.ts';
import { readDay, readGaps, readOverview } from '../../examples/scooter-demand/history/overview.ts';
import { CityClock } from '../../trainer/history/city-clock.ts';
import type { Database } from '../../trainer/history/database.ts';
import { writeJson } from '../bucket.ts';
import type { Context } from '../command.ts';
import type { Action, Work } from './action.ts';
import { overviewText, zoneText } from './text.ts';

/** Numbers in a course, and gaps that are told. */
const PARTS = 36;
const GAPS = 10;

export const showAction: Action = { words: [0, 1], options: [], creates: false, plan: planShow };

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
