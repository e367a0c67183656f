import { createHash } from 'node:crypto';
import { KedgeError } from '../../contract/errors.ts';
import type { Database, Session } from './database.ts';

/** One step of a schema. Once released it never changes; what must change comes as another step. */
interface Migration {
  /** 1, 2, 3 … */
  id: number;
  about: string;
  /** One statement each. */
  statements: readonly string[];
}

export interface MigrationSet {
  /** Whose schema it is; several may share a database. */
  name: string;
  migrations: readonly Migration[];
}

/** Any number will do that no other program takes for its lock: "kedg" in ASCII. */
const LOCK = 0x6b_65_64_67;

/**
 * Brings a schema up to date, in one transaction under a lock, so that of several that start at once one does it and the others
 * find it done. A database that is ahead, as during a rollout of a newer release, is left as it is.
 * @returns the ids of what was done now
 * @throws KedgeError `database-failed` when a step that was done has another text now
 */
export async function migrate(database: Database, { name, migrations }: MigrationSet): Promise<number[]> {
  // Most times there is nothing to do, and whoever finds that needs no more than to read.
  const [table] = await database.query<{ there: boolean }>(
    `select to_regclass('kedge.migrations') is not null as there`,
  );
  const known = table?.there ? await doneBefore(database, name) : new Map<number, string>();
  if (migrations.every((migration) => wasDone(name, migration, known.get(migration.id)))) return [];
  return database.transaction(async (session) => {
    await session.query('select pg_advisory_xact_lock($1::int)', [LOCK]);
    await session.query('create schema if not exists kedge');
    await session.query(`create table if not exists kedge.migrations (
      name text not null, id int not null, digest text not null, done_at timestamptz not null default now(),
      primary key (name, id))`);
    const done = await doneBefore(session, name);
    const todo = migrations.filter((migration) => !wasDone(name, migration, done.get(migration.id)));
    for (const migration of todo) {
      for (const statement of migration.statements) await session.query(statement);
      await session.query('insert into kedge.migrations (name, id, digest) values ($1, $2, $3)', [
        name,
        migration.id,
        digestOf(migration),
      ]);
    }
    return todo.map(({ id }) => id);
  });
}

async function doneBefore(session: Session, name: string): Promise<Map<number, string>> {
  const rows = await session.query<{ id: number; digest: string }>(
    'select id, digest from kedge.migrations where name = $1',
    [name],
  );
  return new Map(rows.map(({ id, digest }) => [id, digest]));
}

function wasDone(name: string, migration: Migration, digest: string | undefined): boolean {
  if (digest === undefined) return false;
  if (digest === digestOf(migration)) return true;
  throw new KedgeError(
    'database-failed',
    `Step ${migration.id} of the schema '${name}' (${migration.about}) was done in this database with another text. Steps never change once released: add another one instead.`,
  );
}

function digestOf({ statements }: Migration): string {
  return createHash('sha256').update(statements.join(';\n')).digest('hex');
}
