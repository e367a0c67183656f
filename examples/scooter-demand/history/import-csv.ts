import type { Readable } from 'node:stream';
import { KedgeError } from '../../../contract/errors.ts';
import { CityClock, hourText } from '../../../trainer/history/city-clock.ts';
import type { Database, Session } from '../../../trainer/history/database.ts';
import { type CsvKind, TRIPS, WEATHER } from './csv-kinds.ts';
import { Problems, readCsv } from './read-csv.ts';
import { DoubledHours, readTime } from './read-time.ts';
import { type Holiday, readCity, writeCity, writeHolidays } from './store.ts';

const BATCH = 5_000;

export interface ImportOptions {
  /** For sentences. */
  file: string;
  /** Of the city; that of the history if absent. */
  timeZone?: string | undefined;
  /** Leave rows out that cannot be taken, instead of taking none. */
  skipBad?: boolean;
  onProgress?: (lines: number) => void;
}

export interface Imported {
  /** Rows of the file that are in the history now. */
  rows: number;
  notes: string[];
}

/**
 * Brings a CSV file into the history: all of it, or nothing. Rows for hours that are there already replace them.
 * @param stream the bytes of the file, UTF-8
 * @throws KedgeError `data-invalid` that names the lines and what is wrong with them; `conflict` where the history is another's
 */
export async function importHourly(
  database: Database,
  kind: CsvKind['name'],
  stream: Readable,
  options: ImportOptions,
): Promise<Imported> {
  const { file, skipBad = false } = options;
  const problems = new Problems(file);
  return database.transaction(async (session) => {
    const clock = new CityClock(await claimCity(session, database.place, options.timeZone));
    const spec = kind === 'trips' ? TRIPS : WEATHER;
    await session.query(
      'create temp table staging (line int, zone text, utc float8, a float8, b float8, c float8) on commit drop',
    );
    const doubled = new DoubledHours();
    await stage(session, spec, stream, { ...options, clock, doubled, problems });
    const same = await dropDoubles(session, problems);
    const left = problems.settle(skipBad);
    const [{ n: rows } = { n: 0 }] = await session.query<{ n: number }>('select count(*)::int as n from staging');
    if (rows === 0) throw noRows(file);
    const [{ n: changed } = { n: 0 }] = await session.query<{ n: number }>(spec.changed);
    for (const statement of spec.store) await session.query(statement);
    const notes = [
      ...left,
      count(same, 'row came twice alike and counts once', 'rows came twice alike and count once'),
      count(
        changed,
        'hour that was there before has another value now',
        'hours that were there before have other values now',
      ),
      count(
        doubled.single,
        `hour that the clocks of ${clock.timeZone} showed twice is in the file once, and taken for the earlier`,
        `hours that the clocks of ${clock.timeZone} showed twice are in the file once, and taken for the earlier`,
      ),
    ];
    return { rows, notes: notes.filter((note) => note !== '') };
  });
}

function noRows(file: string): KedgeError {
  return new KedgeError('data-invalid', `${file} has no rows that can be taken.`);
}

function count(n: number, one: string, many: string): string {
  return n === 0 ? '' : `${n} ${n === 1 ? one : many}.`;
}

/** The time zone of the history. The first import says it. */
async function claimCity(session: Session, place: string, timeZone: string | undefined): Promise<string> {
  const city = await readCity(session);
  if (city?.source === 'synthetic') {
    throw new KedgeError(
      'conflict',
      `The history in ${place} is made up. Import into another database or folder, so that nothing real is among it.`,
    );
  }
  if (city && timeZone !== undefined && timeZone !== city.timeZone) {
    throw new KedgeError('conflict', `The history in ${place} is of a city in ${city.timeZone}, not in ${timeZone}.`);
  }
  if (city) return city.timeZone;
  if (timeZone === undefined) {
    throw new KedgeError('config-invalid', 'the first import must say where the city is: --time-zone Europe/Berlin');
  }
  // Before anything is written, so that a name that is wrong is told.
  const clock = new CityClock(timeZone);
  await writeCity(session, { timeZone: clock.timeZone, source: 'imported', settings: '{}' });
  return clock.timeZone;
}

interface StageOptions extends ImportOptions {
  clock: CityClock;
  doubled: DoubledHours;
  problems: Problems;
}

/** Lines wait in a table of the database, as a file may be larger than memory. */
async function stage(session: Session, spec: CsvKind, stream: Readable, options: StageOptions): Promise<void> {
  const { file, clock, doubled, problems, onProgress } = options;
  let rows: { line: number; zone: string; utc: number; values: (number | null)[] }[] = [];
  const flush = async (): Promise<void> => {
    await session.query(
      'insert into staging select * from unnest($1::int[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::float8[])',
      [
        rows.map(({ line }) => line),
        rows.map(({ zone }) => zone),
        rows.map(({ utc }) => utc),
        ...[0, 1, 2].map((index) => rows.map(({ values }) => values[index] ?? null)),
      ],
    );
    onProgress?.(rows.at(-1)!.line);
    rows = [];
  };
  for await (const { line, record } of readCsv(stream, spec.columns, file)) {
    try {
      const { zone, time, values } = spec.read(record);
      rows.push({ line, zone, utc: doubled.choose(zone, readTime(time, clock)), values });
    } catch (error) {
      problems.add(line, (error as Error).message);
    }
    if (rows.length === BATCH) await flush();
  }
  if (rows.length > 0) await flush();
}

interface Double {
  zone: string;
  utc: number;
  first: number;
  last: number;
  lines: number;
}

/**
 * Leaves each zone and hour once. Where all lines say the same it is kept, where they differ it is a problem.
 * @returns how many lines were dropped that said the same
 */
async function dropDoubles(session: Session, problems: Problems): Promise<number> {
  const differing = await session.query<Double>(
    `select zone, utc, min(line) as first, max(line) as last, count(*)::int as lines from staging
      group by zone, utc having count(distinct row(a, b, c)) > 1 order by min(line)`,
  );
  for (const { zone, utc, first, last, lines } of differing) {
    const what = `${zone === '' ? '' : `zone '${zone}' at `}${hourText(utc)}Z`;
    problems.add(first, `${what} has another value in line ${last}`, lines);
  }
  await session.query(
    `delete from staging s using (select zone, utc from staging group by zone, utc
      having count(distinct row(a, b, c)) > 1) d where s.zone = d.zone and s.utc = d.utc`,
  );
  const dropped = await session.query(
    `delete from staging s using (select zone, utc, min(line) as line from staging group by zone, utc
      having count(*) > 1) k where s.zone = k.zone and s.utc = k.utc and s.line > k.line returning 1 as one`,
  );
  return dropped.length;
}

/** Brings public holidays in: a line for each day. @throws KedgeError `data-invalid` */
export async function importHolidays(database: Database, stream: Readable, options: ImportOptions): Promise<Imported> {
  const { file, skipBad = false } = options;
  const problems = new Problems(file);
  const days = new Map<string, Holiday>();
  return database.transaction(async (session) => {
    const clock = new CityClock(await claimCity(session, database.place, options.timeZone));
    for await (const { line, record } of readCsv(stream, ['day', 'name'], file)) {
      const { day = '', name = '' } = record;
      try {
        clock.startOf(day);
        days.set(day, { day, name });
      } catch (error) {
        problems.add(line, (error as Error).message.replace(/\.$/, ''));
      }
    }
    const notes = problems.settle(skipBad);
    if (days.size === 0) throw noRows(file);
    await writeHolidays(session, [...days.values()]);
    return { rows: days.size, notes };
  });
}
