import type { Clock } from '../../platform/clock.ts';
import type { HistoryConfig } from '../config.ts';
import type { Database } from './database.ts';

/**
 * Postgres where `DATABASE_URL` is set, else PGlite in the folder of `KEDGE_HISTORY`.
 * @throws KedgeError `config-invalid`, `database-unreachable`, `database-locked`, `database-failed`
 */
export async function openHistory(
  { databaseUrl, historyFolder }: HistoryConfig,
  { clock }: { clock: Pick<Clock, 'now'> },
): Promise<Database> {
  if (databaseUrl !== undefined) {
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(databaseUrl);
  }
  const { openPglite } = await import('./pglite.ts');
  return openPglite(historyFolder, { clock });
}
