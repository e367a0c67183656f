import { KedgeError } from '../../contract/errors.ts';
import type { FitOptions, Fitter } from '../fit/fitter.ts';
import { checkParity, type Parity } from '../fit/parity.ts';
import { pick, type TrainingSet, withRows } from '../table.ts';
import { type Metrics, meanMetrics, metricsByGroup, metricsOf } from './metrics.ts';
import { meanOf, seasonalNaive } from './naive.ts';
import { holdOut, type Split } from './splits.ts';

export interface CrossValidateOptions {
  settings: Readonly<Record<string, unknown>>;
  seed: number;
  /** Part of each training part that says when to stop; 0 for none. */
  validationPart?: number;
  /** By row of the table. */
  groups?: readonly string[] | undefined;
  /** For the seasonal-naive forecast, in the unit of the times; the mean of the training part is the baseline without it. */
  season?: number | undefined;
  /** Milliseconds, for the time that a fit takes. */
  now(): number;
  onProgress?(split: number, progress: Parameters<NonNullable<FitOptions['onProgress']>>[0]): void;
  signal?: AbortSignal | undefined;
}

/** What a fitter came to on one split, on rows that it never saw. */
interface SplitScore {
  train: number;
  test: number;
  metrics: Metrics;
  /** Of the forecast that a model must beat, on the same rows. */
  baseline: Metrics;
  groups?: ReturnType<typeof metricsByGroup>;
  /** The exported model against the fitter, on the test rows. */
  parity: Parity;
  fitMs: number;
  model: Record<string, unknown>;
}

export interface Evaluation {
  baseline: 'seasonal-naive' | 'mean';
  splits: SplitScore[];
  /** Means over the splits. */
  metrics: Metrics;
  baselineMetrics: Metrics;
}

/**
 * Fits once for each split, and scores what comes out on its test part. Each model is exported and held against onnxruntime there.
 * @throws KedgeError as the fitter; `fit-failed` where an export answers otherwise; `data-invalid`, before anything is fitted, for a split without a row that counts
 */
export async function crossValidate(
  fitter: Fitter,
  set: TrainingSet,
  splits: readonly Split[],
  options: CrossValidateOptions,
): Promise<Evaluation> {
  for (const [index, split] of splits.entries()) checkWeights(set, split, `split ${index + 1} of ${splits.length}`);
  const scores: SplitScore[] = [];
  for (const [index, split] of splits.entries()) scores.push(await scoreSplit(fitter, set, split, index, options));
  return {
    baseline: options.season !== undefined && set.times ? 'seasonal-naive' : 'mean',
    splits: scores,
    metrics: meanMetrics(scores.map(({ metrics }) => metrics)),
    baselineMetrics: meanMetrics(scores.map(({ baseline }) => baseline)),
  };
}

function checkWeights({ weights }: TrainingSet, split: Split, name: string): void {
  if (!weights) return;
  for (const [part, rows] of Object.entries(split)) {
    if (rows.some((row: number) => weights[row]! > 0)) continue;
    throw new KedgeError(
      'data-invalid',
      `All ${rows.length} rows of the ${part} part of ${name} have the weight 0, so it says nothing: ask for fewer splits, or leave out rows that do not count.`,
    );
  }
}

async function scoreSplit(
  fitter: Fitter,
  set: TrainingSet,
  split: Split,
  index: number,
  { settings, seed, validationPart = 0, groups, season, now, onProgress, signal }: CrossValidateOptions,
): Promise<SplitScore> {
  const { train, test } = split;
  const part = withRows(set, train);
  const { training, validation } = validationPart > 0 ? holdOut(part, validationPart, seed) : { training: part };
  const begun = now();
  const fitted = await fitter.fit(training, {
    settings,
    seed,
    validation,
    check: test,
    signal,
    onProgress: (progress) => onProgress?.(index, progress),
  });
  const fitMs = now() - begun;
  const parity = await checkParity(fitted, set.table, test);
  const answered = {
    target: pick(set.target, test),
    answers: await fitted.predict(set.table, test),
    weights: set.weights && pick(set.weights, test),
  };
  const naive =
    season !== undefined && set.times
      ? seasonalNaive(set, split, { season, groups })
      : new Float64Array(test.length).fill(meanOf(set.target, train));
  const { objective } = fitted;
  return {
    train: train.length,
    test: test.length,
    metrics: metricsOf(objective, answered),
    baseline: metricsOf(objective, { ...answered, answers: naive }),
    ...(groups && {
      groups: metricsByGroup(
        objective,
        answered,
        Array.from(test, (row) => groups[row]!),
      ),
    }),
    parity,
    fitMs,
    model: fitted.describe(),
  };
}
