import type { Database } from '../../trainer/history/database.ts';
import type { Context } from '../command.ts';

/** Done on an open database whose tables are up to date; `migrated` are the steps that were done for that. @returns the exit code */
export type Work = (database: Database, migrated: number[]) => Promise<number>;

/** One thing that `kedge history` does. */
export interface Action {
  /** How many words follow it: at least, at most. */
  words: readonly [number, number];
  /** Options of its own; those of others are refused. */
  options: readonly string[];
  /** Where there is no history yet, begins one. */
  creates: boolean;
  /** Checks what was asked for, before a database is opened. */
  plan(context: Context, words: readonly string[]): Work | Promise<Work>;
}
