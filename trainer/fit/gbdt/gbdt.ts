import { checkTrainingSet, rowCount, type Table, type TrainingSet } from '../../table.ts';
import { DEFAULT_NAMES, type FitOptions, type Fitted, type Fitter, type TensorNames } from '../fitter.ts';
import { binTable } from './binned.ts';
import { type Boosted, boost } from './boost.ts';
import { gbdtOnnx } from './export.ts';
import { LOSSES } from './loss.ts';
import { type GbdtSettings, gbdtSettings } from './settings.ts';
import { addTree } from './tree.ts';

/** Rows that are put into bins at a time for a prediction, to bound memory. */
const CHUNK = 8192;

/** Histogram gradient boosting, built in. */
export const gbdt: Fitter = {
  name: 'gbdt',
  async fit(training: TrainingSet, options: FitOptions = {}): Promise<Fitted> {
    checkTrainingSet(training);
    if (options.validation) checkTrainingSet(options.validation, 'validation part');
    const settings = gbdtSettings(options.settings ?? {}, training.table);
    const boosted = await boost(training, settings, options);
    return fittedOf(boosted, settings, training.table, options.names ?? DEFAULT_NAMES);
  },
};

function fittedOf(boosted: Boosted, settings: GbdtSettings, table: Table, names: TensorNames): Fitted {
  const { objective } = settings;
  const columns = table.columns.map(({ name }) => name);
  return {
    objective,
    names,
    predict: (of, rows) => predict(boosted, settings, of, rows),
    answerShape: (rows) => [rows, objective === 'logistic' ? 2 : 1],
    onnx: () => gbdtOnnx(boosted, objective, names),
    describe: () => ({
      fitter: 'gbdt',
      settings,
      trees: boosted.trees.length,
      leaves: boosted.trees.reduce((sum, tree) => sum + (tree.nodes + 1) / 2, 0),
      ...(boosted.validationLosses.length > 0 && {
        validationLoss: boosted.validationLosses[boosted.trees.length - 1] ?? null,
      }),
      importance: importance(boosted, columns),
    }),
  };
}

function predict(
  { bins, trees, base }: Boosted,
  { objective }: GbdtSettings,
  table: Table,
  rows?: Uint32Array,
): Float64Array {
  const height = rowCount({ table, rows });
  const answers = new Float64Array(height);
  for (let start = 0; start < height; start += CHUNK) {
    const end = Math.min(height, start + CHUNK);
    const part = rows?.subarray(start, end) ?? Uint32Array.from({ length: end - start }, (_, at) => start + at);
    const binned = binTable({ table, rows: part }, bins);
    const scores = new Float32Array(part.length);
    for (const tree of trees) addTree(tree, binned, bins, scores);
    for (const [at, score] of scores.entries())
      answers[start + at] = LOSSES[objective].predict(Math.fround(score + base));
  }
  return answers;
}

/** How much of the loss that all splits took away is due to each column, from 0 to 1; columns that no split uses are left out. */
function importance({ trees }: Boosted, columns: readonly string[]): Record<string, number> {
  const gains = new Float64Array(columns.length);
  let total = 0;
  for (const tree of trees) {
    for (let node = 0; node < tree.nodes; node += 1) {
      if (tree.isLeaf(node)) continue;
      gains[tree.column[node]!]! += tree.gain[node]!;
      total += tree.gain[node]!;
    }
  }
  const shares = columns.map((name, at) => [name, gains[at]! / total] as const);
  return Object.fromEntries(shares.filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1]));
}
