import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PGliteInterface, Transaction } from '@electric-sql/pglite';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Database, fetchBatches, type Session } from './database.ts';
import { FolderLock } from './folder-lock.ts';

/**
 * Opens PGlite, which is Postgres in WebAssembly, on a folder; a new one takes some seconds to be set up.
 * @throws KedgeError `database-locked` while another process has the folder, `database-failed` where it cannot be opened
 */
export async function openPglite(folder: string, { clock }: { clock: Pick<Clock, 'now'> }): Promise<Database> {
  const place = resolve(folder);
  const library = await importPglite();
  const lock = await FolderLock.take(place, clock.now());
  let pglite: PGliteInterface;
  try {
    pglite = await openWhole(library, place);
  } catch (error) {
    lock.release();
    throw new KedgeError('database-failed', `The history in ${place} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const session = sessionOf(pglite, place, true);
  return {
    kind: 'pglite',
    place,
    ...session,
    transaction: (work) => pglite.transaction((transaction) => work(sessionOf(transaction, place, false))),
    async close() {
      try {
        await pglite.close();
      } finally {
        lock.release();
      }
    },
  };
}

/** A database that is new is made beside its place and renamed, so that none that was broken off in the making is ever opened. */
async function openWhole({ PGlite }: typeof import('@electric-sql/pglite'), place: string): Promise<PGliteInterface> {
  const [folder, unfinished] = [join(place, 'pglite'), join(place, 'pglite.new')];
  if (!existsSync(folder)) {
    await rm(unfinished, { recursive: true, force: true });
    await (await PGlite.create(unfinished)).close();
    await rename(unfinished, folder);
  }
  return PGlite.create(folder);
}

/**
 * `hold`: outside of a transaction a cursor is held by the connection, of which there is one. A transaction of its own, as
 * Postgres has it, would keep all other queries waiting until the loop over it ends, and for ever if they are made in it.
 */
function sessionOf(connection: PGliteInterface | Transaction, place: string, hold: boolean): Session {
  const query = <R extends object>(sql: string, values: readonly unknown[] = []): Promise<R[]> =>
    connection.query<R>(sql, [...values]).then(
      ({ rows }) => rows,
      (error: unknown) => {
        throw new KedgeError('database-failed', `PGlite in ${place} refused a statement: ${messageOf(error)}.`, {
          cause: error,
        });
      },
    );
  return { query, cursor: (sql, values = [], options = {}) => fetchBatches(query, sql, values, { ...options, hold }) };
}

/** Only when asked for: it is 27 MB, which no program needs that has Postgres, and a server never. */
async function importPglite(): Promise<typeof import('@electric-sql/pglite')> {
  try {
    return await import('@electric-sql/pglite');
  } catch (error) {
    throw new KedgeError(
      'config-invalid',
      `A history in a folder needs the package @electric-sql/pglite, which cannot be loaded here (${messageOf(error)}). Install it beside kedge (npm install @electric-sql/pglite), or set DATABASE_URL to use Postgres.`,
      { cause: error },
    );
  }
}
