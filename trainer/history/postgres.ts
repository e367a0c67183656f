import type { PoolClient } from 'pg';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { type Database, fetchBatches, type Session } from './database.ts';

const CONNECT_MS = 10_000;
const CONNECTIONS = 8;

/**
 * Opens a pool of connections; the first is made by the first query.
 * @param url `postgres://user:password@host:5432/name`, with the parameters that pg takes (sslmode …)
 */
export async function openPostgres(url: string): Promise<Database> {
  const { Pool } = (await import('pg')).default;
  const place = placeOf(url);
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'kedge',
  });
  // A connection that breaks while nothing is asked of it is replaced; one in use fails its query, which tells.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  const connect = (): Promise<PoolClient> =>
    pool.connect().catch((error: unknown) => {
      throw unreachable(place, error);
    });
  const onClient = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  };
  const sessionOf = (client: PoolClient): Session => {
    const query = <R extends object>(sql: string, values: readonly unknown[] = []): Promise<R[]> =>
      client.query<R>(sql, [...values]).then(
        ({ rows }) => rows,
        (error: unknown) => {
          throw failure(place, error);
        },
      );
    return { query, cursor: (sql, values = [], options = {}) => fetchBatches(query, sql, values, options) };
  };

  return {
    kind: 'postgres',
    place,
    query: (sql, values) => onClient((client) => sessionOf(client).query(sql, values)),
    cursor: (sql, values, options) => readOnly(connect, sessionOf, (session) => session.cursor(sql, values, options)),
    transaction: (work) => inTransaction(connect, sessionOf, work),
    close: () => pool.end(),
  };
}

type Connect = () => Promise<PoolClient>;
type SessionOf = (client: PoolClient) => Session;

async function inTransaction<T>(
  connect: Connect,
  sessionOf: SessionOf,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await connect();
  const session = sessionOf(client);
  let broken: Error | undefined;
  try {
    await session.query('begin');
    const result = await work(session);
    await session.query('commit');
    return result;
  } catch (error) {
    await session.query('rollback').catch((failed: Error) => {
      broken = failed;
    });
    throw error;
  } finally {
    // A connection that cannot even roll back is not given to another.
    client.release(broken);
  }
}

/** A cursor lives in a transaction: one connection is its own until the loop over it ends. */
async function* readOnly<R extends object>(
  connect: Connect,
  sessionOf: SessionOf,
  read: (session: Session) => AsyncIterable<R[]>,
): AsyncGenerator<R[]> {
  const client = await connect();
  const session = sessionOf(client);
  let broken: Error | undefined;
  try {
    await session.query('begin read only');
    yield* read(session);
  } finally {
    await session.query('rollback').catch((failed: Error) => {
      broken = failed;
    });
    client.release(broken);
  }
}

function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || 5432}${pathname}`;
}

/** Classes of SQLSTATE that speak of the connection or the server, not of the statement (appendix A of the PostgreSQL manual). */
const NOT_THE_STATEMENT = /^(08|28|53|57P|3D000)/;

function failure(place: string, error: unknown): KedgeError {
  const state = (error as { code?: unknown }).code;
  const statement = typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && !NOT_THE_STATEMENT.test(state);
  if (!statement) return unreachable(place, error);
  return new KedgeError('database-failed', `Postgres at ${place} refused a statement: ${messageOf(error)}.`, {
    cause: error,
  });
}

function unreachable(place: string, error: unknown): KedgeError {
  // Where a name has several addresses, the error of all of them has no message of its own.
  const reasons = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
  return new KedgeError(
    'database-unreachable',
    `Postgres at ${place} cannot be used: ${reasons}. Check DATABASE_URL, and whether the server is up.`,
    { cause: error },
  );
}
