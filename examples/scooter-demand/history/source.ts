import { migrate } from '../../../trainer/history/migrate.ts';
import type { TrainingSource } from '../../../trainer/history/source.ts';
import estimator from '../estimator.ts';
import { readRecent, readRows, readTraining } from './read-training.ts';
import { SCHEMA } from './schema.ts';
import { readZones } from './store.ts';

/** What the trainer needs to make the models of scooter-demand. */
export const source: TrainingSource = {
  estimator,
  prepare: async (database) => {
    await migrate(database, SCHEMA);
  },
  zones: readZones,
  readTraining,
  readRecent,
  readRows,
};
