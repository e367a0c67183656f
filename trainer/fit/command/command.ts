import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { KedgeError } from '../../../contract/errors.ts';
import { checkTrainingSet, pick, rowsOf, type Table, type TrainingSet } from '../../table.ts';
import { DEFAULT_NAMES, type FitOptions, type Fitted, type Fitter } from '../fitter.ts';
import { type OnnxModel, openOnnx } from '../onnx-model.ts';
import { compareAnswers, type Parity } from '../parity.ts';
import { readSettingsOf } from '../settings.ts';
import { FILES, readPredictions, writeFiles } from './files.ts';
import { runToEnd } from './run.ts';

/** Rows that a command is asked to answer itself where nobody says which. */
const CHECK_ROWS = 256;
/** Exporters of other frameworks add up in another order than these do. */
const TOLERANCE = { abs: 1e-4, rel: 1e-4 };

const schema = z.strictObject({
  /** Program and arguments; the folder is added as the last one. Relative paths are from where kedge runs. */
  command: z.array(z.string().min(1)).min(1),
  objective: z.enum(['squared-error', 'poisson', 'logistic']).default('squared-error'),
  timeoutSeconds: z
    .number()
    .gt(0)
    .max(7 * 86_400)
    .default(3600),
  /** For the command, as they are. */
  settings: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Any command that fits. It is called with a folder as its last argument, in which it finds train.csv, validation.csv (where there is a validation part),
 * check.csv and settings.json, and must leave output/model.onnx and output/predictions.csv, its own answers to check.csv, which the exported model is held against. Nothing else
 * could tell that an exporter dropped a step: what is fitted predicts for all other rows by its export.
 */
export const command: Fitter = {
  name: 'command',
  async fit(training: TrainingSet, options: FitOptions = {}): Promise<Fitted> {
    checkTrainingSet(training);
    if (options.validation) checkTrainingSet(options.validation, 'validation part');
    const settings = readSettingsOf('command', schema, options.settings ?? {});
    const { names = DEFAULT_NAMES, seed = 0, validation, signal } = options;
    const dir = await mkdtemp(join(tmpdir(), 'kedge-fit-'));
    try {
      const checked = options.check ? { ...training, rows: options.check } : (validation ?? training);
      const check = options.check ?? spreadRows(rowsOf(checked));
      const { objective, settings: own } = settings;
      const checkTable = checked.table;
      await writeFiles(dir, { training, validation, check, checkTable, objective, names, seed, settings: own });
      await mkdir(join(dir, FILES.output));
      await runToEnd([...settings.command, dir], { timeoutMs: settings.timeoutSeconds * 1000, signal });
      const bytes = await readModel(dir);
      const model = await openOnnx(bytes, names, training.table.columns.length);
      const predictions = await readPredictions(dir, { table: checkTable, rows: check });
      const parity = compareAnswers(await model.predict(checkTable, check), predictions, TOLERANCE, check);
      const predict = predictorOf(model, { table: checkTable, rows: check, answers: predictions });
      return fittedOf(model, bytes, settings, names, { predict, parity });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

function spreadRows(rows: Uint32Array): Uint32Array {
  const count = Math.min(rows.length, CHECK_ROWS);
  return Uint32Array.from({ length: count }, (_, at) => rows[Math.floor((at * rows.length) / count)]!);
}

async function readModel(dir: string): Promise<Uint8Array> {
  try {
    return await readFile(join(dir, FILES.output, FILES.model));
  } catch (error) {
    throw new KedgeError(
      'fit-failed',
      `The command ended well, but left no ${FILES.output}/${FILES.model} in the folder that it was given.`,
      { cause: error },
    );
  }
}

/** The command's own answers to the rows that it was asked, and those of its export to all others. */
function predictorOf(
  model: OnnxModel,
  own: { table: Table; rows: Uint32Array; answers: Float64Array },
): (table: Table, rows?: Uint32Array) => Promise<Float64Array> {
  const known = new Float64Array(own.table.rows).fill(Number.NaN);
  for (const [at, row] of own.rows.entries()) known[row] = own.answers[at]!;
  return async (table, rows) => {
    if (table !== own.table) return model.predict(table, rows);
    const answers = pick(known, rowsOf({ table, rows }));
    if (!answers.some(Number.isNaN)) return answers;
    const exported = await model.predict(table, rows);
    return answers.map((answer, at) => (Number.isNaN(answer) ? exported[at]! : answer));
  };
}

function fittedOf(
  model: OnnxModel,
  bytes: Uint8Array,
  settings: z.infer<typeof schema>,
  names: Fitted['names'],
  { predict, parity }: Pick<Fitted, 'predict'> & { parity: Parity },
): Fitted {
  const { shape, rows: seen } = model.answered!;
  return {
    objective: settings.objective,
    names,
    tolerance: TOLERANCE,
    predict,
    answerShape: (rows) => shape.map((dim, axis) => (axis === 0 && dim === seen ? rows : dim)),
    onnx: () => bytes,
    describe: () => ({ fitter: 'command', settings, parity }),
  };
}
