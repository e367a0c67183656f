import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openPostgres } from './postgres.ts';
import { testDatabases } from './testing/databases.ts';

const all = await testDatabases();

describe.each(all)('$title', ({ kind, leftOut, open, remove }) => {
  let database: Database;
  beforeAll(async () => {
    if (!leftOut) database = await open();
  });
  afterAll(async () => {
    await database?.close();
    await remove();
  });
  const test = it.skipIf(leftOut);
  const count = async (table: string): Promise<number> =>
    (await database.query<{ n: number }>(`select count(*)::int as n from ${table}`))[0]!.n;
  const numbers = (upTo: number): string => `select g::float8 as n from generate_series(1, ${upTo}) g order by g`;

  test('says what it is', () => {
    expect(database.kind).toBe(kind);
    expect(database.place).not.toBe('');
  });

  test('gives and takes numbers, text, booleans, null and arrays of them', async () => {
    const [row] = await database.query(
      `select $1::float8 as number, $2::int as whole, $3::text as text, $4::boolean as truth, null::float8 as nothing,
        extract(epoch from to_timestamp($5::float8))::float8 as time, 'NaN'::float8 as nan`,
      [1.5, 7, "d'été", true, 1_774_749_600],
    );
    expect(row).toEqual({
      number: 1.5,
      whole: 7,
      text: "d'été",
      truth: true,
      nothing: null,
      time: 1_774_749_600,
      nan: Number.NaN,
    });
    const rows = await database.query(
      'select * from unnest($1::text[], $2::float8[], $3::int[]) as t (name, number, whole)',
      [
        ['a,"b"', 'c'],
        [0.1, null],
        [1, 2],
      ],
    );
    expect(rows).toEqual([
      { name: 'a,"b"', number: 0.1, whole: 1 },
      { name: 'c', number: null, whole: 2 },
    ]);
  });

  test('refuses a wrong statement with a sentence', async () => {
    await expect(database.query('select nothing from nowhere')).rejects.toMatchObject({
      code: 'database-failed',
      message: expect.stringMatching(/refused a statement: .*nowhere/),
    });
    await expect(database.query('select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  test('keeps all of a transaction, or nothing', async () => {
    await database.query('create table kept (n int)');
    await database.transaction(async (session) => {
      await session.query('insert into kept values (1)');
      await session.query('insert into kept values (2)');
    });
    const failed = database.transaction(async (session) => {
      await session.query('insert into kept values (3)');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    const broken = database.transaction(async (session) => {
      await session.query('insert into kept values (4)');
      await session.query('insert into kept values (1 / 0)');
    });
    await expect(broken).rejects.toMatchObject({ code: 'database-failed' });
    expect(await count('kept')).toBe(2);
  });

  test('reads by cursor in batches, with other queries meanwhile', async () => {
    const sizes: number[] = [];
    let sum = 0;
    for await (const batch of database.cursor<{ n: number }>(`${numbers(10)}`, [], { batch: 4 })) {
      sizes.push(batch.length);
      for (const { n } of batch) sum += n;
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    }
    expect({ sizes, sum }).toEqual({ sizes: [4, 4, 2], sum: 55 });
  });

  test('reads by cursor with values, nothing, and exactly a batch', async () => {
    const read = async (from: number): Promise<number[]> => {
      const sizes: number[] = [];
      const sql = 'select n from (select generate_series(1, 8)::float8 as n) g where n >= $1 order by n';
      for await (const batch of database.cursor(sql, [from], { batch: 4 })) sizes.push(batch.length);
      return sizes;
    };
    expect(await read(9)).toEqual([]);
    expect(await read(1)).toEqual([4, 4]);
  });

  test('gives a cursor back when the loop is left early or fails', async () => {
    // More often than there are connections in the pool, so that one that is not given back would be missed.
    for (let turn = 0; turn < 12; turn += 1) {
      for await (const batch of database.cursor(numbers(100), [], { batch: 10 })) {
        expect(batch).toHaveLength(10);
        break;
      }
      const failing = async (): Promise<void> => {
        for await (const _ of database.cursor(numbers(100))) throw new Error('no more');
      };
      await expect(failing()).rejects.toThrow('no more');
    }
    const open = await database.query<{ n: number }>(
      `select count(*)::int as n from pg_cursors where name like 'kedge%'`,
    );
    expect(open).toEqual([{ n: 0 }]);
  });

  test('tells of a wrong query of a cursor, and goes on', async () => {
    const read = async (): Promise<void> => {
      for await (const _ of database.cursor('select * from nowhere'));
    };
    await expect(read()).rejects.toMatchObject({ code: 'database-failed' });
    await expect(database.query('select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  test('a cursor of a transaction sees what the transaction wrote', async () => {
    const seen = await database.transaction(async (session) => {
      await session.query('create table inner_rows (n int)');
      await session.query('insert into inner_rows select generate_series(1, 3)');
      const rows: object[] = [];
      for await (const batch of session.cursor('select n from inner_rows order by n', [], { batch: 2 }))
        rows.push(...batch);
      return rows;
    });
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  describe('migrations', () => {
    const first = { id: 1, about: 'the table', statements: ['create table migrated (n int)'] };
    const second = { id: 2, about: 'a row', statements: ['insert into migrated values (1)'] };

    test('are done once, in order, by one of several that start at once', async () => {
      expect(await migrate(database, { name: 'suite', migrations: [first] })).toEqual([1]);
      const set = { name: 'suite', migrations: [first, second] };
      const done = await Promise.all([migrate(database, set), migrate(database, set), migrate(database, set)]);
      expect(done.flat()).toEqual([2]);
      expect(await count('migrated')).toBe(1);
      expect(await migrate(database, set)).toEqual([]);
    });

    test('leave a database alone that is ahead', async () => {
      expect(await migrate(database, { name: 'suite', migrations: [first] })).toEqual([]);
    });

    test('that are done need no right to write', async () => {
      await database.query('create role onlooker');
      await database.query('grant usage on schema kedge to onlooker');
      await database.query('grant select on kedge.migrations to onlooker');
      await database.transaction(async (session) => {
        await session.query('set local role onlooker');
        const asOnlooker = { ...database, query: session.query };
        expect(await migrate(asOnlooker, { name: 'suite', migrations: [first, second] })).toEqual([]);
      });
    });

    test('that fail leave nothing behind', async () => {
      const half = { id: 1, about: 'half', statements: ['create table half (n int)', 'create tabel half2 (n int)'] };
      await expect(migrate(database, { name: 'half', migrations: [half] })).rejects.toMatchObject({
        code: 'database-failed',
      });
      await expect(count('half')).rejects.toThrow(/half/);
      const done = await database.query(`select id from kedge.migrations where name = 'half'`);
      expect(done).toEqual([]);
    });

    test('whose text changed after they were done are refused', async () => {
      const changed = { ...first, statements: ['create table migrated (n text)'] };
      await expect(migrate(database, { name: 'suite', migrations: [changed] })).rejects.toMatchObject({
        code: 'database-failed',
        message: expect.stringMatching(/Step 1 of the schema 'suite' \(the table\).*another text/),
      });
    });
  });

  if (kind === 'pglite') {
    it('is made beside its place, and what was broken off in the making goes', async () => {
      expect(await readdir(database.place)).toEqual(expect.arrayContaining(['holder.json', 'lock', 'pglite']));
      expect(await readdir(database.place)).not.toContain('pglite.new');
    });

    it('is for one process at a time', async () => {
      await expect(open()).rejects.toMatchObject({
        code: 'database-locked',
        message: expect.stringMatching(new RegExp(`in use by process ${process.pid} since 20.*DATABASE_URL`)),
      });
    });
  } else {
    test('a connection that breaks fails what was asked of it, and the next is answered', async () => {
      const kill = 'select pg_terminate_backend(pg_backend_pid())';
      await expect(database.query(kill)).rejects.toMatchObject({
        code: 'database-unreachable',
        message: expect.stringMatching(/^Postgres at 127\.0\.0\.1:\d+\/\w+ cannot be used: .*DATABASE_URL/),
      });
      const inWork = database.transaction(async (session) => {
        await session.query('create table lost (n int)');
        await session.query(kill);
      });
      await expect(inWork).rejects.toMatchObject({ code: 'database-unreachable' });
      await expect(database.query('select * from lost')).rejects.toMatchObject({ code: 'database-failed' });
    });

    it('that is not there is told without the password', async () => {
      const nobody = await openPostgres('postgres://kedge:secret@127.0.0.1:1/history');
      const failed = nobody.query('select 1');
      await expect(failed).rejects.toMatchObject({ code: 'database-unreachable', message: /127\.0\.0\.1:1\/history/ });
      await expect(failed).rejects.not.toThrow(/secret/);
      await nobody.close();
    });
  }
});
