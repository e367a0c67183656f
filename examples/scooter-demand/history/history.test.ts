import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Database } from '../../../trainer/history/database.ts';
import { testDatabases } from '../../../trainer/history/testing/databases.ts';
import { source } from './source.ts';
import { clearHistory } from './store.ts';
import { csvSuite } from './testing/csv-suite.ts';
import { driftSuite } from './testing/drift-suite.ts';
import { harness } from './testing/harness.ts';
import { learningSuite } from './testing/learning-suite.ts';
import { syntheticSuite } from './testing/synthetic-suite.ts';

const all = await testDatabases();

describe.each(all)('a history in $title', ({ leftOut, open, remove }) => {
  let database: Database;
  beforeAll(async () => {
    if (leftOut) return;
    database = await open();
    await source.prepare(database);
  });
  beforeEach(async () => {
    if (!leftOut) await clearHistory(database);
  });
  afterAll(async () => {
    await database?.close();
    await remove();
  });

  const tools = harness(() => database, leftOut);
  syntheticSuite(tools);
  csvSuite(tools);
  learningSuite(tools);
  driftSuite(tools);
});
