import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { nearest } from '../contract/nearest.ts';
import { isMissing, Numbers, numberOf, timeOf } from './csv-columns.ts';
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

/** What is known of a column after the first reading. */
interface Seen {
  name: string;
  isText: boolean;
  texts: Set<string>;
}

/**
 * Reads a CSV file with one line of head into a training set. It is read twice: first for what each column holds (numbers, or texts that are categories), then for
 * the values, so that memory holds numbers alone.
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
  let line = 1;
  for await (const cells of records(path)) {
    line += 1;
    targets.push(wanted(cells[at(target)]!, numberOf, `The target '${target}'`, 'a number', line));
    if (time !== undefined)
      times.push(
        wanted(cells[at(time)]!, timeOf, `The time '${time}'`, 'a time such as 2026-11-23T17:00, or a number', line),
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
    times: time === undefined ? undefined : times.done(),
    weights: weight === undefined ? undefined : weights.done(),
    groups: group === undefined ? undefined : groups,
  };
}

function invalid(sentence: string): KedgeError {
  return new KedgeError('data-invalid', sentence.endsWith('?') ? sentence : `${sentence}.`);
}

async function* records(path: string): AsyncGenerator<string[]> {
  const parser = parse({ bom: true, skip_empty_lines: true, relax_quotes: false });
  const source = createReadStream(path);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let first = true;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (!first) yield record;
      first = false;
    }
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}`);
  } finally {
    source.destroy();
  }
}

async function headOf(path: string): Promise<string[]> {
  const parser = parse({ bom: true, skip_empty_lines: true, to: 1 });
  const source = createReadStream(path);
  source.on('error', (error) => parser.destroy(error));
  try {
    for await (const record of source.pipe(parser) as AsyncIterable<string[]>) return record.map((name) => name.trim());
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}`);
  } finally {
    source.destroy();
  }
  throw invalid(`${path} is empty`);
}

async function firstReading(path: string, needed: readonly string[]): Promise<Seen[]> {
  const head = await headOf(path);
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
  const seen = head.map((name): Seen => ({ name, isText: false, texts: new Set() }));
  for await (const cells of records(path)) {
    for (const [at, column] of seen.entries()) {
      const cell = cells[at]!;
      if (!column.isText && numberOf(cell) === undefined) column.isText = true;
      // Texts are gathered from the first on, as a column may turn out to be text late.
      if (column.texts.size <= MAX_CATEGORIES && !isMissing(cell)) column.texts.add(cell.trim());
    }
  }
  return seen;
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

function builderOf({ name, isText, texts }: Seen, areCodes: boolean): Builder {
  const values = new Numbers();
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
