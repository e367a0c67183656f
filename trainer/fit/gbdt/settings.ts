import * as z from 'zod';
import { KedgeError } from '../../../contract/errors.ts';
import { nearest } from '../../../contract/nearest.ts';
import type { Table } from '../../table.ts';
import { readSettingsOf } from '../settings.ts';

/** Names and meanings as in LightGBM and scikit-learn, where those have them. */
const schema = z.strictObject({
  /** `poisson` learns the logarithm of the mean, for counts and rates; `logistic` the log odds of 1 against 0. */
  objective: z.enum(['squared-error', 'poisson', 'logistic']).default('squared-error'),
  /** Most trees; early stopping may end with fewer. */
  trees: z.int().min(1).max(100_000).default(150),
  learningRate: z.number().gt(0).max(1).default(0.1),
  maxLeaves: z.int().min(2).max(4096).default(31),
  /** Edges from the root to a leaf; 0 for no limit. */
  maxDepth: z.int().min(0).max(1000).default(0),
  minChildSamples: z.int().min(1).default(20),
  /** Least sum of second derivatives in a leaf. */
  minChildWeight: z.number().min(0).default(1e-3),
  l2: z.number().min(0).default(0),
  minSplitGain: z.number().min(0).default(0),
  /** Bins of a column, besides the one for missing values. */
  maxBins: z.int().min(2).max(255).default(255),
  /** Part of the rows, and of the columns, that each tree sees. */
  subsample: z.number().gt(0).max(1).default(1),
  columnSubsample: z.number().gt(0).max(1).default(1),
  /** By the name of a numeric column: 1 if the prediction must never fall as it rises, -1 if it must never rise. */
  monotone: z.record(z.string(), z.union([z.literal(-1), z.literal(0), z.literal(1)])).default({}),
  /** Ends after this many trees without a better loss on the validation part, and keeps the best; 0 never. */
  earlyStopping: z.int().min(0).default(20),
  /** Largest step of a leaf before the learning rate. Poisson alone needs one: a leaf of rare large counts would overshoot without bound. */
  maxDeltaStep: z.number().gt(0).optional(),
  /** How categories are split: one against the rest up to `maxOneHot` of them, else sorted by their gradients, as in LightGBM. */
  maxOneHot: z.int().min(1).default(4),
  categorySmoothing: z.number().min(0).default(10),
  categoryL2: z.number().min(0).default(10),
  /** Most categories on the smaller side of a split. */
  maxCategories: z.int().min(1).max(254).default(32),
  minCategorySamples: z.int().min(1).default(10),
});

export type GbdtSettings = z.infer<typeof schema>;

/** @throws KedgeError `config-invalid` that names every problem */
export function gbdtSettings(given: Readonly<Record<string, unknown>>, table: Table): GbdtSettings {
  const settings = readSettingsOf('gbdt', schema, given);
  for (const [name, direction] of Object.entries(settings.monotone)) {
    const column = table.columns.find((other) => other.name === name);
    if (!column) {
      const names = table.columns.map((other) => other.name);
      const close = nearest(name, names);
      const hint = close === undefined ? `there are ${names.join(', ')}` : `did you mean '${close}'?`;
      throw new KedgeError(
        'config-invalid',
        `monotone names the column '${name}', which the table does not have: ${hint}`,
      );
    }
    if (direction !== 0 && column.kind === 'categorical') {
      throw new KedgeError('config-invalid', `monotone names '${name}', whose values are categories without an order.`);
    }
  }
  return settings;
}
