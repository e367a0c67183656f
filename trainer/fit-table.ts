import { KedgeError } from '../contract/errors.ts';
import type { Details } from '../contract/manifest.ts';
import { EPOCH_TIMES } from './csv-times.ts';
import { baselineOf } from './evaluate/baseline.ts';
import { crossValidate, type Evaluation } from './evaluate/cross-validate.ts';
import { samplesOf } from './evaluate/samples.ts';
import { byTime, holdOut, splitAtRandom, splitByTime, type TimeSplitOptions } from './evaluate/splits.ts';
import type { Fitter, Objective, Progress } from './fit/fitter.ts';
import { checkParity, type Parity } from './fit/parity.ts';
import { checkTrainingSet, pick, rowCount, type TrainingSet, withRows } from './table.ts';

export interface FitTableOptions {
  fitter: Fitter;
  objective: Objective;
  settings: Readonly<Record<string, unknown>>;
  seed: number;
  /** How models are judged before the last one is made of all rows; undefined for not at all. */
  split: TimeSplitOptions | undefined;
  /** Part of the rows that says when to stop; 0 for none. */
  validationPart: number;
  /** By row of the table. */
  groups?: readonly string[] | undefined;
  season?: number | undefined;
  now(): number;
  /** @param part which fit is under way: `split 2 of 5`, `the model` */
  onProgress?(part: string, progress: Progress): void;
  signal?: AbortSignal | undefined;
}

export interface TableFit {
  /** The bytes of model.onnx. */
  model: Uint8Array;
  /** What goes with it into the manifest. */
  details: Details;
  report: Report;
}

export interface Report {
  rows: number;
  columns: { name: string; kind: string; categories?: readonly string[] }[];
  objective: Objective;
  evaluation: Evaluation | undefined;
  model: Record<string, unknown>;
  parity: Parity;
  fitMs: number;
}

/** Rows on which the last model is held against onnxruntime. */
const PARITY_ROWS = 2000;

/**
 * One model from one table: judged on splits, then fitted once more on all rows (the newest `maxTrain` of them, as in the splits), exported and checked.
 * @throws KedgeError `data-invalid` for data that nothing can be learned from; as the fitter
 */
export async function fitTable(set: TrainingSet, options: FitTableOptions): Promise<TableFit> {
  checkTrainingSet(set, 'table');
  checkVaries(set);
  const { fitter, objective, seed, split, validationPart, groups, season, now, signal, onProgress } = options;
  const settings = { ...options.settings, objective };
  const splits = split && (set.times ? splitByTime(set, split) : splitAtRandom(set, split.splits, seed));
  const evaluation =
    splits &&
    (await crossValidate(fitter, set, splits, {
      ...{ settings, seed, validationPart, groups, season, now, signal },
      onProgress: (at, progress) => onProgress?.(`split ${at + 1} of ${splits.length}`, progress),
    }));
  const rows = byTime(set);
  const all = withRows(set, split?.maxTrain ? rows.subarray(-split.maxTrain) : rows);
  const { training, validation } = validationPart > 0 ? holdOut(all, validationPart, seed) : { training: all };
  const checked = rows.subarray(-PARITY_ROWS);
  const begun = now();
  const fitted = await fitter.fit(training, {
    ...{ settings, seed, validation, check: checked, signal },
    onProgress: (progress) => onProgress?.('the model', progress),
  });
  const fitMs = now() - begun;
  const parity = await checkParity(fitted, set.table, checked);
  const columns = set.table.columns.map(({ name, kind, categories }) => ({
    name,
    kind,
    ...(categories && { categories }),
  }));
  const report: Report = {
    rows: rowCount(set),
    columns,
    objective,
    evaluation,
    model: fitted.describe(),
    parity,
    fitMs,
  };
  const details: Details = {
    samples: await samplesOf(fitted, set.table, checked),
    training: {
      rows: rowCount(all),
      ...windowOf(all),
      ...(evaluation && {
        metrics: evaluation.metrics,
        baseline: { [evaluation.baseline]: evaluation.baselineMetrics },
      }),
      columns,
      seed,
      model: report.model,
    },
    baseline: { ...baselineOf(all) },
  };
  return { model: fitted.onnx(), details, report };
}

function checkVaries(set: TrainingSet): void {
  const target = pick(set.target, set.rows);
  if (target.length > 1 && target.every((value) => value === target[0])) {
    throw new KedgeError(
      'data-invalid',
      `The target is ${target[0]} in all ${target.length} rows: there is nothing to learn.`,
    );
  }
}

/** The days of the first and the last row, where times are times. */
function windowOf({ times, rows }: TrainingSet): { window?: [string, string] } {
  if (!times || !rows) return {};
  const [first, last] = [times[rows[0]!]!, times[rows[rows.length - 1]!]!];
  if (first < EPOCH_TIMES) return {};
  const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
  return { window: [day(first), day(last)] };
}

/** A week where the times span two of them, a day where they span two days; undefined for counts of the table's own. */
export function suggestSeason(times: Float64Array | undefined): number | undefined {
  if (!times || times.length === 0) return undefined;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  if (first < EPOCH_TIMES) return undefined;
  const day = 86_400;
  return [7 * day, day].find((season) => last - first >= 2 * season);
}
