import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { KedgeError } from '../../../contract/errors.ts';
import { checkTrainingSet, rowsOf, type TrainingSet } from '../../table.ts';
import { DEFAULT_NAMES, type FitOptions, type Fitted, type Fitter } from '../fitter.ts';
import { type OnnxModel, openOnnx } from '../onnx-model.ts';
import { compareAnswers, type Parity } from '../parity.ts';
import { readSettingsOf } from '../settings.ts';
import { FILES, readPredictions, writeFiles } from './files.ts';
import { runToEnd } from './run.ts';

/** Rows that a command is asked to answer itself, so that its export can be held against it. */
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
 * check.csv and settings.json, and must leave output/model.onnx; where it also leaves output/predictions.csv, its own answers
 * to check.csv, the exported model is held against them.
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
      const checked = validation ?? training;
      const check = spreadRows(rowsOf(checked));
      const { objective, settings: own } = settings;
      const checkTable = checked.table;
      await writeFiles(dir, { training, validation, check, checkTable, objective, names, seed, settings: own });
      await mkdir(join(dir, FILES.output));
      await runToEnd([...settings.command, dir], { timeoutMs: settings.timeoutSeconds * 1000, signal });
      const bytes = await readModel(dir);
      const model = await openOnnx(bytes, names, training.table.columns.length);
      const answers = await model.predict(checkTable, check);
      const predictions = await readPredictions(dir, { table: checkTable, rows: check });
      const parity = predictions && compareAnswers(answers, predictions, TOLERANCE, check);
      return fittedOf(model, bytes, settings, names, parity);
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

function fittedOf(
  model: OnnxModel,
  bytes: Uint8Array,
  settings: z.infer<typeof schema>,
  names: Fitted['names'],
  parity: Parity | undefined,
): Fitted {
  const { shape, rows: seen } = model.answered!;
  return {
    objective: settings.objective,
    names,
    predict: (table, rows) => model.predict(table, rows),
    answerShape: (rows) => shape.map((dim, axis) => (axis === 0 && dim === seen ? rows : dim)),
    onnx: () => bytes,
    describe: () => ({
      fitter: 'command',
      settings,
      parity: parity ?? `not checked: the command left no ${FILES.output}/${FILES.predictions}`,
    }),
  };
}
