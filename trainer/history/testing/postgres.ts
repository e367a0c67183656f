import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

export interface TestPostgres {
  /** Of a database that is empty. */
  url: string;
  stop(): Promise<void>;
}

/**
 * A real Postgres for tests: an empty database on the server of KEDGE_TEST_POSTGRES, or a server that is started from what is
 * installed. Undefined where there is neither, and where KEDGE_TEST_POSTGRES is `none`.
 */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const given = process.env['KEDGE_TEST_POSTGRES'];
  if (given === 'none') return undefined;
  if (given) return emptyDatabase(given);
  const bin = findBinaries();
  return bin === undefined ? undefined : ownServer(bin);
}

async function emptyDatabase(server: string): Promise<TestPostgres> {
  const name = `kedge_test_${process.pid}_${Date.now()}`;
  const onServer = async (sql: string): Promise<void> => {
    const client = new pg.Client(server);
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await onServer(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, stop: () => onServer(`drop database ${name} with (force)`) };
}

/** Debian keeps them out of the PATH. */
function findBinaries(): string | undefined {
  const folders = [...globSync('/usr/lib/postgresql/*/bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => ['initdb', 'pg_ctl', 'postgres'].every((name) => existsSync(join(folder, name))));
}

async function ownServer(bin: string): Promise<TestPostgres | undefined> {
  // Postgres does not run as root.
  const root = process.getuid?.() === 0;
  const as = (command: string, args: string[]): Promise<unknown> =>
    root ? run('runuser', ['-u', 'postgres', '--', command, ...args]) : run(command, args);
  const dir = await mkdtemp('/tmp/kedge-postgres-');
  try {
    if (root) await run('chown', ['postgres', dir]);
    const port = await freePort();
    const data = join(dir, 'data');
    await as(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync']);
    const options = `-p ${port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories=${dir}`;
    await as(join(bin, 'pg_ctl'), ['-D', data, '-w', '-l', join(dir, 'log'), '-o', options, 'start']);
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async stop() {
        await as(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop']);
        await rm(dir, { recursive: true });
      },
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
