import * as z from 'zod';
import { digestPattern } from './manifest.ts';
import { isModelName } from './names.ts';

export const INDEX_SCHEMA_VERSION = 1;

/**
 * `index.json`: the one object that loaders poll. `generation` grows with every write, and a first one begins at the time in
 * milliseconds, so that an index that was lost and made anew still grows; a reader never goes back to a smaller one.
 * It lists what `publish` made; bare drops are found by listing.
 */
export const bucketIndexSchema = z.looseObject({
  schemaVersion: z.literal(INDEX_SCHEMA_VERSION),
  generation: z.int().min(0),
  models: z.array(
    z.looseObject({
      name: z.string().refine(isModelName, 'is no model name'),
      versions: z.array(z.looseObject({ version: z.int().min(1), digest: z.string().regex(digestPattern) })),
      /** Digest of rollout.json, so that a change of it is seen here; absent where there is none. */
      rollout: z.string().regex(digestPattern).optional(),
      /** The highest number whose files were removed: no number up to it is ever given again. */
      removed: z.int().min(1).optional(),
    }),
  ),
});

export type BucketIndex = z.infer<typeof bucketIndexSchema>;

export const EMPTY_INDEX: BucketIndex = { schemaVersion: INDEX_SCHEMA_VERSION, generation: 0, models: [] };
