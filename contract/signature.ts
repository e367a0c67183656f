import * as z from 'zod';

/** Datatypes of the Open Inference Protocol that the runtime has. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;

export type Datatype = (typeof DATATYPES)[number];

/** A tensor by name; -1 is a free dimension, an empty shape a scalar. */
export interface TensorSpec {
  name: string;
  datatype: Datatype;
  shape: number[];
  /** The graph has a default for this input, so a request may leave it out. */
  optional?: boolean | undefined;
}

export interface Signature {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** Outputs that are sequences or maps. They cannot be served; the others are. `type` is the runtime's name for it. */
  omittedOutputs?: { name: string; type: string }[] | undefined;
}

const tensorSpecSchema = z.object({
  name: z.string().min(1),
  datatype: z.enum(DATATYPES),
  shape: z.array(z.int().min(-1)),
  optional: z.boolean().optional(),
});

export const signatureSchema = z.object({
  inputs: z.array(tensorSpecSchema),
  outputs: z.array(tensorSpecSchema),
  omittedOutputs: z.array(z.object({ name: z.string(), type: z.string() })).optional(),
});

/** `FP32[-1,12]`, for sentences. */
export function describeTensor(spec: Pick<TensorSpec, 'datatype' | 'shape'>): string {
  return `${spec.datatype}[${spec.shape.join(',')}]`;
}
