import type { Estimator } from '../../contract/estimator.ts';
import type { Table, TrainingSet } from '../table.ts';
import type { Database } from './database.ts';

/** From `from` to before `to`, seconds since the epoch. Open where absent. */
export interface Window {
  from?: number | undefined;
  to?: number | undefined;
}

/** What was read for one zone: its columns are the elements of the estimator's tensor, in order. */
export interface HistorySet extends TrainingSet {
  readonly times: Float64Array;
  /** What is not as it should be, and can be learned from nevertheless: sentences for the report. */
  readonly notes: readonly string[];
}

/** An hour with what is asked of a model for it, and what came. */
export interface HistoryRow {
  /** Seconds since the epoch. */
  utc: number;
  /** As a caller posts it. */
  row: Record<string, unknown>;
  /** Absent while it is not known. */
  target?: number;
}

/** What the trainer needs of a domain: its code, and the way from its history to tables. */
export interface TrainingSource {
  readonly estimator: Estimator;
  /** Brings the schema up to date. */
  prepare(database: Database): Promise<void>;
  /** Each has a model of its own. */
  zones(database: Database): Promise<string[]>;
  /**
   * Streams the history of a zone into columns; no row is in memory twice.
   * @throws KedgeError `data-invalid` for a history that nothing can be learned from, with a sentence that says why
   */
  readTraining(database: Database, zone: string, window?: Window): Promise<HistorySet>;
  /** The features of a window as far as there are any, whether anything could be learned from them or not. Rows are those that `readTraining` would have. */
  readRecent(database: Database, zone: string, window: Required<Window>): Promise<Table>;
  /** The hours of a window as a caller would post them, for forecasts of what came and of what is to come. */
  readRows(database: Database, zone: string, window: Required<Window>): Promise<HistoryRow[]>;
}
