import type { TrainingTask } from '../plan/task.ts';
import type { FittedModel } from './trainable.ts';

/** The program of a fit: TypeScript beside this file in a clone, a bundle of its own beside the main one in the package. */
export const FIT_ENTRY = new URL(import.meta.url.endsWith('.ts') ? './fit-main.ts' : './fit-main.js', import.meta.url);

/** Files that a fit leaves in its folder. */
export const FITTED_MODEL = 'model.onnx';
export const HELD_OUT_FILE = 'held-out.bin';

export interface FitOrder {
  /** URL of the module whose default export is a Trainable. */
  module: string;
  task: TrainingTask;
  /** What was extracted lies in it, and the results go there. */
  folder: string;
}

/** What a fit came to, beside the files. */
export interface FitResult extends Pick<FittedModel, 'input' | 'output' | 'details' | 'report'> {
  rows: number;
  columns: number;
  cost: FitCost;
}

export interface FitCost {
  /** From the start of the process to its answer. */
  ms: number;
  /** Processor time of the process, its threads and the commands that it started included. */
  cpuMs: number;
  /** Most resident memory of the process and the commands that it started, at once. */
  peakBytes: number;
}

export type FitMessage =
  | { kind: 'progress'; done: number }
  | { kind: 'done'; result: Omit<FitResult, 'cost'>; cost: Omit<FitCost, 'ms'> }
  | { kind: 'failed'; code: string; message: string };
