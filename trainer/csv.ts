import { KedgeError } from '../contract/errors.ts';
import { nearest } from '../contract/nearest.ts';
import { isMissing, Numbers, numberOf } from './csv-columns.ts';
import { csvLines } from './csv-lines.ts';
import { TimeCells } from './csv-times.ts';
import type { Column, TrainingSet } from './table.ts';

export interface CsvOptions {
  target: string;
  /** A column of times: the order of the rows, and no feature. */
  time?: string | undefined;
  weight?: string | undefined;
  /** Scores are told for each of its values; it stays a feature. */
  group?: string | undefined;
  /** Columns that are no features. */
  ignore?: readonly string[];
  /** Columns whose numbers are codes of categories. */
  categorical?: readonly string[];
}

export interface CsvTable extends TrainingSet {
  /** The group of each row, where a column of groups was named. */
  groups: string[] | undefined;
}

/** More different texts than this are no categories but names or numbers of things. */
const MAX_CATEGORIES = 1000;
const MAX_CODE = 2 ** 24;
const DECIMAL_COMMA = /^[+-]?\d+,\d+$/;

/** What is known of a column after the first reading. */
interface Seen {
  name: string;
  isText: boolean;
  texts: Set<string>;
  /** The last of its texts, where all that is no number has a decimal comma and would be one. */
  commas?: string | undefined;
}

/**
 * Reads a CSV file with one line of head into a training set. It is read twice: first for what each column holds (numbers, or texts that are categories), then for
 * the values, so that memory holds numbers alone. Times since 1970 in milli-, micro- or nanoseconds come out as seconds.
 * @throws KedgeError `data-invalid` that names the column, the line and what to do
 */
export async function readCsv(path: string, options: CsvOptions): Promise<CsvTable> {
  const { target, time, weight, group, ignore = [], categorical = [] } = options;
  const special = [target, time, weight].filter((name) => name !== undefined);
  const kinds = await firstReading(
    path,
    [...special, group, ...ignore, ...categorical].filter((n) => n !== undefined),
  );
  const left = kinds.filter(({ name }) => !special.includes(name) && !ignore.includes(name));
  const features = left.map((seen) => builderOf(seen, categorical.includes(seen.name)));
  const at = (name: string): number => kinds.findIndex((seen) => seen.name === name);
  const places = left.map(({ name }) => at(name));
  const [targets, times, weights] = [new Numbers(), new Numbers(), new Numbers()];
  const groups: string[] = [];
  const timeCells = new TimeCells(time ?? '');
  let isHead = true;
  for await (const { cells, line } of csvLines(path)) {
    if (isHead) {
      isHead = false;
      continue;
    }
    targets.push(wanted(cells[at(target)]!, numberOf, `The target '${target}'`, 'a number', line));
    if (time !== undefined)
      times.push(
        wanted(
          cells[at(time)]!,
          (cell) => timeCells.read(cell, line),
          `The time '${time}'`,
          'a time such as 2026-11-23T17:00, or a number',
          line,
        ),
      );
    if (weight !== undefined)
      weights.push(wanted(cells[at(weight)]!, numberOf, `The weight '${weight}'`, 'a number', line));
    if (group !== undefined) groups.push(cells[at(group)]!.trim());
    for (const [index, feature] of features.entries()) feature.push(cells[places[index]!]!, line);
  }
  const columns = features.map((feature) => feature.done());
  const found = targets.done();
  if (found.length === 0) throw invalid(`${path} has a head, and no rows below it`);
  return {
    table: { rows: found.length, columns },
    target: found,
    times: time === undefined ? undefined : timeCells.secondsOf(times.done()),
    weights: weight === undefined ? undefined : weights.done(),
    groups: group === undefined ? undefined : groups,
  };
}

function invalid(sentence: string): KedgeError {
  return new KedgeError('data-invalid', sentence.endsWith('?') ? sentence : `${sentence}.`);
}

async function firstReading(path: string, needed: readonly string[]): Promise<Seen[]> {
  let seen: Seen[] | undefined;
  for await (const { cells } of csvLines(path)) {
    if (!seen) {
      seen = headOf(path, cells, needed);
      continue;
    }
    for (const [at, column] of seen.entries()) look(column, cells[at]!);
  }
  if (!seen) throw invalid(`${path} is empty`);
  return seen;
}

function headOf(path: string, cells: readonly string[], needed: readonly string[]): Seen[] {
  const head = cells.map((name) => name.trim());
  const twice = head.find((name, at) => head.indexOf(name) < at);
  if (twice !== undefined) throw invalid(`${path} has two columns named '${twice}': rename one`);
  for (const name of needed) {
    if (head.includes(name)) continue;
    const close = nearest(name, head);
    throw invalid(
      `${path} has no column '${name}'${close === undefined ? `: there are ${head.join(', ')}` : `; did you mean '${close}'?`}`.replace(
        /\?$/,
        '?',
      ),
    );
  }
  return head.map((name): Seen => ({ name, isText: false, texts: new Set() }));
}

function look(column: Seen, cell: string): void {
  const isOpen = !column.isText || column.commas !== undefined;
  if (isOpen && numberOf(cell) === undefined) {
    column.isText = true;
    column.commas = DECIMAL_COMMA.test(cell.trim()) ? cell.trim() : undefined;
  }
  // Texts are gathered from the first on, as a column may turn out to be text late.
  if (column.texts.size <= MAX_CATEGORIES && !isMissing(cell)) column.texts.add(cell.trim());
}

function wanted(
  cell: string,
  read: (cell: string) => number | undefined,
  what: string,
  form: string,
  line: number,
): number {
  const value = read(cell);
  if (value !== undefined && Number.isFinite(value)) return value;
  // As JSON, which shows what a terminal would swallow.
  const found = isMissing(cell) ? 'missing' : JSON.stringify(cell);
  throw invalid(`${what} is ${found} in line ${line}: it must be ${form} in every row`);
}

interface Builder {
  push(cell: string, line: number): void;
  done(): Column;
}

function builderOf({ name, isText, texts, commas }: Seen, areCodes: boolean): Builder {
  const values = new Numbers();
  if (commas !== undefined) {
    throw invalid(`Column '${name}' has numbers with a decimal comma, such as ${commas}: write them with a point`);
  }
  if (isText) {
    if (texts.size > MAX_CATEGORIES) {
      throw invalid(
        `Column '${name}' has more than ${MAX_CATEGORIES} different texts, too many for categories: leave it out (--ignore ${name}), or make numbers of it`,
      );
    }
    const categories = [...texts].sort();
    const codes = new Map(categories.map((text, code) => [text, code]));
    return {
      push: (cell) => values.push(codes.get(cell.trim()) ?? Number.NaN),
      done: () => ({ name, kind: 'categorical', values: values.done(), categories }),
    };
  }
  const push = (cell: string, line: number): void => {
    const value = numberOf(cell)!;
    if (areCodes && !Number.isNaN(value) && !(Number.isInteger(value) && value >= 0 && value < MAX_CODE)) {
      throw invalid(
        `Column '${name}' has ${value} in line ${line}: codes of categories are whole numbers from 0 to ${MAX_CODE - 1}`,
      );
    }
    values.push(value);
  };
  // A model takes 32-bit floats, so no more is kept.
  return {
    push,
    done: () => ({ name, kind: areCodes ? 'categorical' : 'numeric', values: new Float32Array(values.done()) }),
  };
}
