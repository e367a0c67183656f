import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../platform/clock.ts';
import type { Database } from '../database.ts';
import { openPglite } from '../pglite.ts';
import { openPostgres } from '../postgres.ts';
import { startPostgres } from './postgres.ts';

export interface TestDatabase {
  kind: Database['kind'];
  /** For `describe`: says when it is left out. */
  title: string;
  leftOut: boolean;
  open(): Promise<Database>;
  /** Once, after all were closed. */
  remove(): Promise<void>;
}

/** Both databases, for a suite that runs over each. PGlite takes seconds to begin with: ask for it once in a file. */
export async function testDatabases(): Promise<TestDatabase[]> {
  const postgres = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'kedge-history-'));
  // As one that was broken off in the making leaves it.
  await mkdir(join(folder, 'pglite.new', 'base'), { recursive: true });
  await writeFile(join(folder, 'pglite.new', 'PG_VERSION'), '18');
  return [
    {
      kind: 'postgres',
      title: postgres ? 'Postgres' : 'Postgres (LEFT OUT: neither KEDGE_TEST_POSTGRES nor an installed server)',
      leftOut: postgres === undefined,
      open: () => openPostgres(postgres!.url),
      remove: async () => postgres?.stop(),
    },
    {
      kind: 'pglite',
      title: 'PGlite',
      leftOut: false,
      open: () => openPglite(folder, { clock: systemClock }),
      remove: () => rm(folder, { recursive: true }),
    },
  ];
}
