import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../../../contract/errors.ts';
import { rowCount, rowsOf, type Table, type TrainingSet } from '../../table.ts';
import type { Objective, TensorNames } from '../fitter.ts';

/** What a command that fits finds in its folder, and what it leaves there. Names are part of what users write their commands by. */
export const FILES = {
  train: 'train.csv',
  validation: 'validation.csv',
  /** Rows without a target, which `predictions` answers. */
  check: 'check.csv',
  settings: 'settings.json',
  output: 'output',
  model: 'model.onnx',
  predictions: 'predictions.csv',
} as const;

/** No column of a table is likely to have these names; one that does is refused. */
const TARGET = '__target__';
const WEIGHT = '__weight__';

export interface CommandFiles {
  training: TrainingSet;
  validation: TrainingSet | undefined;
  /** Rows of `checkTable`. */
  check: Uint32Array;
  checkTable: Table;
  objective: Objective;
  names: TensorNames;
  seed: number;
  /** The user's own, passed on as they are. */
  settings: Readonly<Record<string, unknown>>;
}

/** @throws KedgeError `data-invalid` for a column whose name is taken */
export async function writeFiles(dir: string, files: CommandFiles): Promise<void> {
  const { training, validation, objective, names, seed, settings } = files;
  const { columns } = training.table;
  const taken = columns.find(({ name }) => name === TARGET || name === WEIGHT);
  if (taken) throw new KedgeError('data-invalid', `A column cannot be named '${taken.name}': rename it.`);
  await writeCsv(join(dir, FILES.train), training);
  if (validation) await writeCsv(join(dir, FILES.validation), validation);
  await writeCsv(join(dir, FILES.check), { table: files.checkTable, rows: files.check });
  const document = {
    objective,
    seed,
    target: TARGET,
    weight: training.weights ? WEIGHT : null,
    columns: columns.map(({ name, kind, categories }) => ({ name, kind, ...(categories && { categories }) })),
    input: names.input,
    output: names.output,
    validation: validation !== undefined,
    settings,
  };
  await writeFile(join(dir, FILES.settings), `${JSON.stringify(document, null, 2)}\n`);
}

type CsvRows = Pick<TrainingSet, 'table' | 'rows'> & Partial<Pick<TrainingSet, 'target' | 'weights'>>;

/** Numbers as 32-bit floats, which is what the model will see; a missing value is an empty field. */
async function writeCsv(path: string, set: CsvRows): Promise<void> {
  const { table, target, weights } = set;
  const extra = [
    ...(target ? [{ name: TARGET, values: target }] : []),
    ...(weights ? [{ name: WEIGHT, values: weights }] : []),
  ];
  const stream = createWriteStream(path);
  const failed = once(stream, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => undefined);
  const head = [...table.columns, ...extra].map(({ name }) => quoted(name));
  stream.write(`${head.join(',')}\n`);
  for (const row of rowsOf(set)) {
    const cells = table.columns.map(({ values }) => cell(Math.fround(values[row]!)));
    for (const { values } of extra) cells.push(String(values[row]!));
    if (!stream.write(`${cells.join(',')}\n`)) await Promise.race([once(stream, 'drain'), failed]);
  }
  stream.end();
  await Promise.race([once(stream, 'finish'), failed]);
}

function cell(value: number): string {
  if (Number.isNaN(value)) return '';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}

function quoted(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

/**
 * The command's own answers to the rows of check.csv, one number a line under one line of head.
 * @throws KedgeError `fit-failed` where it left none, or the file is not that
 */
export async function readPredictions(
  dir: string,
  checked: Pick<TrainingSet, 'table' | 'rows'>,
): Promise<Float64Array> {
  const form = `a line of head and one number for each of the ${rowCount(checked)} rows of ${FILES.check}`;
  let text: string;
  try {
    text = await readFile(join(dir, FILES.output, FILES.predictions), 'utf8');
  } catch (error) {
    throw new KedgeError(
      'fit-failed',
      `The command left no ${FILES.output}/${FILES.predictions} that can be read: its own answers, ${form}, which the exported model is held against. Exporters drop steps silently, and nothing else would tell.`,
      { cause: error },
    );
  }
  const lines = text.trim().split(/\r?\n/).slice(1);
  const answers = Float64Array.from(lines, (line) => (line.trim() === '' ? Number.NaN : Number(line)));
  if (answers.length !== rowCount(checked) || answers.some(Number.isNaN)) {
    throw new KedgeError('fit-failed', `${FILES.predictions} of the command must have ${form}.`);
  }
  return answers;
}
