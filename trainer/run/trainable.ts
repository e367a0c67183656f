import type { Estimator } from '../../contract/estimator.ts';
import type { Details } from '../../contract/manifest.ts';
import type { Environment } from '../../platform/settings.ts';
import type { DriftedFeature } from '../evaluate/drift.ts';
import type { TrainingTask } from '../plan/task.ts';
import type { Json } from '../queue/task-queue.ts';

/**
 * Rows that the fit did not see, newer than all that it saw. What the gate judges by: champion and challenger answer the
 * same ones, and so does whoever becomes the champion meanwhile.
 */
export interface HeldOut {
  rows: number;
  /** How many numbers a row has. */
  columns: number;
  /** As the model takes them: row-major, `rows * columns`. */
  features: Float32Array;
  target: Float64Array;
  /** The answers of the rule of thumb that a model must beat. */
  naive: Float64Array;
  /** The answers of the fitter itself, which the exported model must give too. */
  fitted: Float64Array;
}

/** A model that was fitted, with all that a gate and a manifest want to know. */
export interface FittedModel {
  onnx: Uint8Array;
  /** Name of its one input, FP32 [rows, columns], and of the output that holds a number for each row. */
  input: string;
  output: string;
  /** For the manifest: samples, baseline, `training`. What the task says of code and window is added. */
  details: Details;
  heldOut: HeldOut;
  /** For the report: scores, settings as used, … */
  report: { readonly [key: string]: Json | undefined };
}

/** The history, open for reading. */
export interface TrainingHistory {
  /** The models that there should be. */
  models(signal?: AbortSignal): Promise<string[]>;
  /**
   * Writes what the task learns from into a folder, in batches: this runs beside other work on one loop, and never holds a table.
   * @throws KedgeError `data-invalid` for a history that nothing can be learned from
   */
  extract(task: TrainingTask, folder: string, signal?: AbortSignal): Promise<void>;
  /** Which of these no longer see the inputs they learned from, and by which features. Absent where it is not known. */
  drifted?(models: readonly DriftQuestion[], options: DriftOptions): Promise<Map<string, DriftedFeature[]>>;
  close(): Promise<void>;
}

interface DriftQuestion {
  model: string;
  /** `baseline` of the manifest of the version that serves. */
  baseline: unknown;
}

interface DriftOptions {
  /** ISO 8601; the days before it are looked at. */
  to: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * What can be trained: the default export of a module (`KEDGE_TRAINER`). `open` is called by whoever plans and works; `fit` in a process of its
 * own, with nothing but the task and what `extract` wrote.
 */
export interface Trainable {
  estimator: Estimator;
  /** What the fitter takes, where nothing else is said. */
  settings?: Readonly<Record<string, unknown>>;
  open(env: Environment): Promise<TrainingHistory>;
  fit(task: TrainingTask, folder: string, options: { onProgress(done: number): void }): Promise<FittedModel>;
}
