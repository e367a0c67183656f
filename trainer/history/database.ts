/**
 * What the trainer asks of a database. Postgres and PGlite have the same one, and the same SQL runs on both (PostgreSQL 15 and
 * later). Values come back alike for float8, int4, text, boolean and null: queries cast to these what is of another type
 * (a time by `extract(epoch from …)::float8`). Arrays of these types may be handed in.
 */
export interface Session {
  /** Runs one statement. @throws KedgeError `database-failed`, `database-unreachable` */
  query<R extends object = Row>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /**
   * The rows of a query as they were when it began, in batches, of which one at a time is in memory. Leaving the loop early closes
   * the cursor. Other queries may be made meanwhile.
   */
  cursor<R extends object = Row>(sql: string, values?: readonly unknown[], options?: CursorOptions): AsyncIterable<R[]>;
}

export interface Database extends Session {
  readonly kind: 'postgres' | 'pglite';
  /** For sentences: host and name, or the folder. Never a password. */
  readonly place: string;
  /**
   * Runs `work` in one transaction: all that it does through its session is kept, or nothing if it throws. Inside, only that
   * session may be used, as PGlite has one connection.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

type Row = Record<string, unknown>;

export interface CursorOptions {
  /** Most rows of a batch. */
  batch?: number;
}

const BATCH = 5_000;

type Ask = (sql: string, values?: readonly unknown[]) => Promise<object[]>;

let cursors = 0;

/** A cursor on one connection, which must be in a transaction, or else `hold` it. */
export async function* fetchBatches<R extends object>(
  ask: Ask,
  sql: string,
  values: readonly unknown[],
  { batch = BATCH, hold = false }: CursorOptions & { hold?: boolean },
): AsyncGenerator<R[]> {
  cursors += 1;
  const name = `kedge_${cursors}`;
  await ask(`declare ${name} no scroll cursor ${hold ? 'with hold' : ''} for ${sql}`, values);
  try {
    for (;;) {
      const rows = (await ask(`fetch ${batch} from ${name}`)) as R[];
      if (rows.length > 0) yield rows;
      if (rows.length < batch) break;
    }
  } finally {
    // It may fail in a transaction that failed, which ends the cursor anyway.
    await ask(`close ${name}`).catch(() => undefined);
  }
}
