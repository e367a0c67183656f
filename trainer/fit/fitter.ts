import type { Table, TrainingSet } from '../table.ts';

/** What the target is: any number, a count or rate that is never negative, or 0 and 1. */
export type Objective = 'squared-error' | 'poisson' | 'logistic';

/** How the exported model names its tensors. */
export interface TensorNames {
  /** One input, FP32 [rows, columns], the columns in the order of the table. */
  input: string;
  /** The prediction, FP32 [rows, 1]; of a classifier the probabilities, FP32 [rows, 2], beside its `label`, INT64 [rows]. */
  output: string;
}

export const DEFAULT_NAMES: TensorNames = { input: 'features', output: 'prediction' };

export interface Progress {
  /** Of `total` steps, such as trees. */
  done: number;
  total: number;
  /** The loss on the validation part, where there is one. */
  loss?: number;
}

export interface FitOptions {
  /** What the fitter takes, by its own schema; unknown keys are refused. */
  settings?: Readonly<Record<string, unknown>>;
  /** The same seed, data and settings give the same bytes. */
  seed?: number;
  /** Rows that are not learned from, but say when to stop. */
  validation?: TrainingSet | undefined;
  /**
   * Rows of the table that its answers will be asked for, held-out ones where there are some: a fitter that predicts in a process of its own answers them there. Others need not look
   * at it.
   */
  check?: Uint32Array | undefined;
  names?: TensorNames;
  onProgress?(progress: Progress): void;
  /** A fit under way ends soon after this aborts, and rejects with the reason. */
  signal?: AbortSignal | undefined;
}

/**
 * How far onnxruntime's answers may lie from the fitter's: |onnx - own| <= abs max |own| + rel |own|. An answer near 0 is the rest of terms as large as other
 * answers, and 32-bit floats round those.
 */
export interface Tolerance {
  abs: number;
  rel: number;
}

/** A model that was fitted. */
export interface Fitted {
  readonly objective: Objective;
  readonly names: TensorNames;
  /** How far its export may lie from it, where that is more than the rounding of sums in the same order. */
  readonly tolerance?: Tolerance;
  /**
   * The prediction for each row: the expected value, or the probability of 1.
   * @param rows indices into the table; all rows if absent
   */
  predict(table: Table, rows?: Uint32Array): Float64Array | Promise<Float64Array>;
  /** The shape of the exported model's answer to so many rows. */
  answerShape(rows: number): number[];
  /** The bytes of model.onnx. Its answers are those of `predict`, up to the rounding of 32-bit floats. */
  onnx(): Uint8Array;
  /** What it is, for a report: settings as used, number of trees, … Plain JSON. */
  describe(): Record<string, unknown>;
}

/** Something that makes models from tables. */
export interface Fitter {
  readonly name: string;
  /**
   * @throws KedgeError `config-invalid` for settings that it does not take, `data-invalid` for data that it cannot learn
   *   from, `fit-failed` where fitting itself went wrong
   */
  fit(training: TrainingSet, options?: FitOptions): Promise<Fitted>;
}
