import { KedgeError } from '../../contract/errors.ts';
import { type Random, sample, seededRandom } from '../fit/random.ts';
import { rowsOf, type TrainingSet } from '../table.ts';

/** Rows to learn from, and rows to judge by, which the model never saw. */
export interface Split {
  train: Uint32Array;
  test: Uint32Array;
}

export interface TimeSplitOptions {
  splits: number;
  /** Rows left out between both parts: what is not known yet when a forecast is made. Default 0. */
  gap?: number | undefined;
  /** Only the newest so many rows before the gap are learned from. */
  maxTrain?: number | undefined;
  /** Rows of each test part. Default: rows / (splits + 1), rounded down. */
  testSize?: number | undefined;
}

/**
 * Positions in an order of time: each test part follows its training part, as scikit-learn's TimeSeriesSplit(n_splits, max_train_size=, test_size=, gap=) cuts
 * them (sklearn/model_selection/_split.py).
 * @throws KedgeError `data-invalid` where there are too few rows
 */
export function timeSplits(
  rows: number,
  { splits, gap = 0, maxTrain, testSize = Math.floor(rows / (splits + 1)) }: TimeSplitOptions,
): { train: [start: number, end: number]; test: [start: number, end: number] }[] {
  if (splits + 1 > rows || testSize < 1 || rows - gap - testSize * splits <= 0) {
    throw new KedgeError(
      'data-invalid',
      `${rows} rows are too few for ${splits} splits of ${testSize} test rows with a gap of ${gap}: ask for fewer or smaller splits.`,
    );
  }
  return Array.from({ length: splits }, (_, at) => {
    const start = rows - (splits - at) * testSize;
    const end = start - gap;
    return { train: [maxTrain ? Math.max(0, end - maxTrain) : 0, end], test: [start, start + testSize] };
  });
}

/** The rows of a set in order of time; those of the same time in the order of the table. */
export function byTime(set: TrainingSet): Uint32Array {
  const { times } = set;
  const rows = rowsOf(set).slice();
  return times ? rows.sort((a, b) => times[a]! - times[b]! || a - b) : rows;
}

/** {@link timeSplits} of a set with times. */
export function splitByTime(set: TrainingSet, options: TimeSplitOptions): Split[] {
  const ordered = byTime(set);
  return timeSplits(ordered.length, options).map(({ train, test }) => ({
    train: ordered.subarray(...train),
    test: ordered.subarray(...test),
  }));
}

/**
 * For tables without time: rows are dealt to `splits` test parts at random; each is judged by a model of all others.
 * @throws KedgeError `data-invalid` where there are fewer rows than parts
 */
export function splitAtRandom(set: TrainingSet, splits: number, seed: number): Split[] {
  const rows = shuffled(rowsOf(set).slice(), seededRandom(seed));
  if (splits < 2 || rows.length < splits) {
    throw new KedgeError(
      'data-invalid',
      `${rows.length} rows cannot be dealt to ${splits} parts: at least 2 parts, and a row for each.`,
    );
  }
  return Array.from({ length: splits }, (_, part) => ({
    train: rows.filter((_, at) => at % splits !== part).sort(),
    test: rows.filter((_, at) => at % splits === part).sort(),
  }));
}

/** Fisher and Yates. */
function shuffled(rows: Uint32Array, random: Random): Uint32Array {
  for (let at = rows.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [rows[at], rows[other]] = [rows[other]!, rows[at]!];
  }
  return rows;
}

/**
 * Cuts a validation part off what is to be learned from, for early stopping: the newest rows where there is time, else some drawn at random.
 * @param part from 0 to 1
 */
export function holdOut(
  set: TrainingSet,
  part: number,
  seed: number,
): { training: TrainingSet; validation: TrainingSet } {
  const rows = byTime(set);
  const held = Math.max(1, Math.min(rows.length - 1, Math.round(rows.length * part)));
  if (set.times) {
    const cut = rows.length - held;
    return { training: { ...set, rows: rows.subarray(0, cut) }, validation: { ...set, rows: rows.subarray(cut) } };
  }
  const drawn = new Uint32Array(held);
  sample(rows.length, held, seededRandom(seed), drawn);
  const isHeld = new Uint8Array(rows.length);
  for (const at of drawn) isHeld[at] = 1;
  return {
    training: { ...set, rows: rows.filter((_, at) => isHeld[at] === 0) },
    validation: { ...set, rows: rows.filter((_, at) => isHeld[at] === 1) },
  };
}
