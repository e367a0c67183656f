import { z } from 'zod';
import { KedgeError } from '../../../contract/errors.ts';
import { checkTrainingSet, rowCount, type Table, type TrainingSet } from '../../table.ts';
import { DEFAULT_NAMES, type FitOptions, type Fitted, type Fitter } from '../fitter.ts';
import { readSettingsOf } from '../settings.ts';
import { type Design, designOf, eachRow, fillRow, widthOf } from './design.ts';
import { type Linear, ridgeOnnx } from './export.ts';
import { solveCholesky } from './solve.ts';

/** Normal equations of so many elements take 128 MB; a table wider than this wants another fitter. */
const MAX_WIDTH = 4096;

const schema = z.strictObject({
  objective: z.literal('squared-error').default('squared-error'),
  /** Weight of the penalty on squared coefficients, of columns scaled to a deviation of 1. Above 0, as columns may say the same. */
  alpha: z.number().gt(0).default(1),
});

/** Linear regression with a penalty on squares (Hoerl and Kennard 1970): a baseline that other fitters must beat. */
export const ridge: Fitter = {
  name: 'ridge',
  async fit(training: TrainingSet, options: FitOptions = {}): Promise<Fitted> {
    checkTrainingSet(training);
    const settings = readSettingsOf('ridge', schema, options.settings ?? {});
    const { columns } = training.table;
    const design = designOf(training);
    const linear = solve(training, design, settings.alpha);
    options.onProgress?.({ done: 1, total: 1 });
    const names = options.names ?? DEFAULT_NAMES;
    return {
      objective: 'squared-error',
      names,
      predict: (table, rows) => predict(design, linear, table, rows),
      answerShape: (rows) => [rows, 1],
      onnx: () => ridgeOnnx(design, linear, columns.length, names),
      describe: () => ({ fitter: 'ridge', settings, elements: widthOf(design) }),
    };
  },
};

/** The intercept is not penalised: target and elements are centred by their means instead. */
function solve(training: TrainingSet, design: Design, alpha: number): Linear {
  const { table, target } = training;
  const width = widthOf(design);
  if (width > MAX_WIDTH) {
    throw new KedgeError(
      'data-invalid',
      `The table has ${width} numbers and categories together; ridge takes at most ${MAX_WIDTH}. Choose the fitter gbdt.`,
    );
  }
  const row = new Float64Array(width);
  const means = new Float64Array(width);
  let [total, mean] = [0, 0];
  eachRow(training, (at, weight) => {
    fillRow(design, table.columns, at, row);
    checkFinite(row, at);
    for (let i = 0; i < width; i += 1) means[i]! += weight * row[i]!;
    mean += weight * target[at]!;
    total += weight;
  });
  for (let i = 0; i < width; i += 1) means[i]! /= total;
  mean /= total;
  const matrix = new Float64Array(width * width);
  const weights = new Float64Array(width);
  eachRow(training, (at, weight) => {
    fillRow(design, table.columns, at, row);
    const error = weight * (target[at]! - mean);
    for (let i = 0; i < width; i += 1) {
      const value = row[i]! - means[i]!;
      weights[i]! += value * error;
      const weighted = weight * value;
      for (let j = 0; j <= i; j += 1) matrix[i * width + j]! += weighted * (row[j]! - means[j]!);
    }
  });
  for (let i = 0; i < width; i += 1) matrix[i * width + i]! += alpha;
  if (!solveCholesky(matrix, weights)) {
    throw new KedgeError('fit-failed', 'The columns say the same to within rounding: raise alpha, or leave some out.');
  }
  // As the exported model holds them.
  const rounded = weights.map(Math.fround);
  const intercept = mean - rounded.reduce((sum, weight, i) => sum + weight * means[i]!, 0);
  return { weights: rounded, intercept: Math.fround(intercept) };
}

function checkFinite(row: Float64Array, at: number): void {
  if (row.every(Number.isFinite)) return;
  throw new KedgeError('data-invalid', `Row ${at} of the table has an infinite number, which ridge cannot take.`);
}

function predict(design: Design, { weights, intercept }: Linear, table: Table, rows?: Uint32Array): Float64Array {
  const row = new Float64Array(weights.length);
  const answers = new Float64Array(rowCount({ table, rows }));
  for (let at = 0; at < answers.length; at += 1) {
    fillRow(design, table.columns, rows ? rows[at]! : at, row);
    let sum = intercept;
    for (let i = 0; i < weights.length; i += 1) sum += weights[i]! * row[i]!;
    answers[at] = sum;
  }
  return answers;
}
