import * as z from 'zod';
import { digestPattern, manifestSchema } from './manifest.ts';
import { isModelName } from './names.ts';
import { refusalSchema } from './refusal.ts';
import { rolloutSchema } from './rollout.ts';

export const CATALOG_SCHEMA_VERSION = 1;

/** What a probe measured: one load and its runs in a process of its own. Times in milliseconds of wall clock. */
const probeReportSchema = z.object({
  loadMs: z.number(),
  /** Median of the runs after the first. */
  runMs: z.number(),
  /** Growth of resident memory by load and runs together. */
  memoryBytes: z.number(),
  /** Outputs whose first dimension was seen to follow the number of rows, whatever the graph declares. */
  rowOutputs: z.array(z.string()),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;

const common = {
  version: z.int().min(1),
  /** When it came into this state, ISO 8601. */
  since: z.iso.datetime({ offset: true }),
  /** Made by copying model.onnx alone: the loader derived the manifest. */
  bare: z.boolean(),
  /** What the bucket showed when this was decided; the version is looked at again when it changes. */
  fingerprint: z.string(),
};

/** Vouched for: the files lie in `path` on the volume, each with the size and sha256 that the manifest names. */
const availableSchema = z.object({
  ...common,
  state: z.literal('available'),
  digest: z.string().regex(digestPattern),
  path: z.string(),
  manifest: manifestSchema,
  probe: probeReportSchema,
  /** Operators, as `domain:type`, that are not proved harmless; none means that the graph may run on the serving loop. */
  unproved: z.array(z.string()),
  /** Whether the graph proves that rows of several requests may be answered together; absent where an older loader did not look. */
  rows: z.object({ independent: z.boolean(), because: z.string() }).optional(),
  /** A newer or pinned version took over from it at this time; it is kept a while for servers that still drain. */
  supersededAt: z.iso.datetime({ offset: true }).optional(),
  /** What is wrong with it in the bucket now, though the copy here still serves. */
  warnings: z.array(refusalSchema).optional(),
});

/** Not served, and why. Nothing of it lies on the volume. */
const unavailableSchema = z.object({
  ...common,
  state: z.enum(['refused', 'failed', 'incomplete']),
  digest: z.string().regex(digestPattern).optional(),
  reasons: z.array(refusalSchema),
  attempts: z.int().min(0),
  /**
   * Digest of what the judgement depended on beside the bytes: the runtime, the release and the limits of the loader. Where the loader of
   * now has another one it is judged again.
   */
  judgedBy: z.string().optional(),
  retryAt: z.iso.datetime({ offset: true }).optional(),
});

const catalogVersionSchema = z.discriminatedUnion('state', [availableSchema, unavailableSchema]);

const catalogModelSchema = z.object({
  name: z.string().refine(isModelName, 'is no model name'),
  rollout: rolloutSchema.optional(),
  /** Newest first. */
  versions: z.array(catalogVersionSchema),
});

/** `catalog.json`: what the loader vouches for, whole; replaced by rename, last. */
export const catalogSchema = z.object({
  schemaVersion: z.literal(CATALOG_SCHEMA_VERSION),
  /** Grows with every write of this file. */
  generation: z.int().min(1),
  writtenAt: z.iso.datetime({ offset: true }),
  models: z.array(catalogModelSchema),
});

export type CatalogAvailable = z.infer<typeof availableSchema>;
export type CatalogUnavailable = z.infer<typeof unavailableSchema>;
export type CatalogVersion = z.infer<typeof catalogVersionSchema>;
export type CatalogModel = z.infer<typeof catalogModelSchema>;
export type Catalog = z.infer<typeof catalogSchema>;

export function isAvailable(version: CatalogVersion): version is CatalogAvailable {
  return version.state === 'available';
}
