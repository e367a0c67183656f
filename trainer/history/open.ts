import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { KedgeError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HistoryConfig } from '../config.ts';
import type { Database } from './database.ts';

export interface OpenOptions {
  clock: Pick<Clock, 'now'>;
  /** Begin a history in a folder where there is none, which takes some seconds; else that is an error. */
  create: boolean;
}

/**
 * Postgres where `DATABASE_URL` is set, else PGlite in the folder of `KEDGE_HISTORY`.
 * @throws KedgeError `data-invalid` where there is no history and none is to be begun, `config-invalid`, `database-unreachable`, `database-locked`, `database-failed`
 */
export async function openHistory(
  { databaseUrl, historyFolder }: HistoryConfig,
  { clock, create }: OpenOptions,
): Promise<Database> {
  if (databaseUrl !== undefined) {
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(databaseUrl);
  }
  if (!create && !existsSync(historyFolder)) {
    throw new KedgeError(
      'data-invalid',
      `There is no history in ${resolve(historyFolder)}: kedge history import brings one in, kedge history fill makes one up. DATABASE_URL or KEDGE_HISTORY say where it is.`,
    );
  }
  const { openPglite } = await import('./pglite.ts');
  return openPglite(historyFolder, { clock });
}
