import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isModelName, isSafePath } from './names.ts';
import { DATATYPES, signatureSchema } from './signature.ts';

export const MANIFEST_SCHEMA_VERSION = 1;

export const digestPattern = /^sha256:[0-9a-f]{64}$/;
const hex256 = /^[0-9a-f]{64}$/;

/** Any number: `z.number()` would refuse NaN and the infinities, which tensors hold. */
const anyNumber = z.custom<number>((value) => typeof value === 'number', 'must be a number');

/** A tensor as a sample writes it: `data` flat and row-major; integers beyond 2^53 and NaN, Infinity as JSON tokens. */
const sampleTensorSchema = z.object({
  datatype: z.enum(DATATYPES),
  shape: z.array(z.int().min(0)),
  data: z.array(z.union([anyNumber, z.bigint(), z.boolean(), z.string()])),
});

const sampleSchema = z.object({
  inputs: z.record(z.string(), sampleTensorSchema),
  outputs: z.record(z.string(), sampleTensorSchema),
  /** |got - want| <= abs + rel * |want|; exact for integers, strings and bools. */
  tolerance: z.object({ abs: z.number().min(0), rel: z.number().min(0) }).default({ abs: 1e-5, rel: 1e-4 }),
});

const fileSchema = z.object({
  path: z.string().refine(isSafePath, 'must be a relative path that stays inside the version'),
  bytes: z.int().min(0),
  sha256: z.string().regex(hex256, 'must be 64 hexadecimal digits'),
});

/** What a publisher may say beside the files: where the model comes from, what it needs, and how to check it. */
export const detailsSchema = z.looseObject({
  code: z
    .looseObject({
      estimator: z.string().min(1),
      version: z.string().min(1),
      features: z.string().regex(digestPattern),
    })
    .optional(),
  requires: z.looseObject({ server: z.string().optional(), estimator: z.string().optional() }).optional(),
  samples: z.array(sampleSchema).optional(),
  /**
   * Whether each row of an answer follows from the same row of the request alone, where the graph does not prove it
   * (`independent`), or must not be taken for proved (`dependent`). What is tried before the version serves can contradict `independent`.
   */
  batching: z.looseObject({ rows: z.enum(['independent', 'dependent']).optional() }).optional(),
  training: z.looseObject({}).optional(),
  baseline: z.looseObject({}).optional(),
});

/** What one version is, and what it needs. Unknown keys are kept and ignored. */
export const manifestSchema = detailsSchema.extend({
  schemaVersion: z.literal(MANIFEST_SCHEMA_VERSION),
  model: z.string().refine(isModelName, 'is no model name'),
  version: z.int().min(1),
  createdAt: z.iso.datetime({ offset: true }),
  files: z.array(fileSchema).min(1),
  onnx: z.looseObject({ irVersion: z.int(), opsets: z.record(z.string(), z.int()) }),
  signature: signatureSchema,
});

export type ManifestFile = z.infer<typeof fileSchema>;
export type Sample = z.infer<typeof sampleSchema>;
export type SampleTensor = z.infer<typeof sampleTensorSchema>;
export type Details = z.infer<typeof detailsSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** The digest that names a version everywhere: sha256 over the bytes of its manifest, which vouch for every file. */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
