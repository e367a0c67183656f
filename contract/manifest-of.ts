import { stringifyJson } from './json.ts';
import { type Details, MANIFEST_SCHEMA_VERSION, type Manifest, type ManifestFile } from './manifest.ts';
import type { HeadValue, OnnxHead } from './onnx/graph.ts';
import { inferFacts } from './onnx/infer.ts';
import type { Signature, TensorSpec } from './signature.ts';

/** How the runtime names the types that a signature can hold. */
const TENSOR = /^tensor\(/;

/**
 * The tensors that the model takes and gives. Inputs and outputs that cannot be served are left out, and `admit` refuses them;
 * outputs that are no tensors stand in `omittedOutputs`. Symbols become -1. Of an output without a declared shape the shape
 * is inferred; where that fails it counts as a vector, since declared shapes of outputs are hints anyhow.
 */
export function signatureOf(head: OnnxHead): Signature {
  const omitted = head.outputs.filter((output) => !TENSOR.test(output.type));
  const inferred = head.outputs.every(({ dims }) => dims) ? undefined : inferFacts(head);
  return {
    inputs: head.inputs.flatMap((input) => (input.dims ? specOf(input, input.dims, input.optional) : [])),
    outputs: head.outputs.flatMap((output) => {
      const dims = output.dims ?? inferred?.get(output.name)?.shape ?? [undefined];
      return specOf(output, dims, false);
    }),
    ...(omitted.length > 0 ? { omittedOutputs: omitted.map(({ name, type }) => ({ name, type })) } : {}),
  };
}

function specOf({ name, datatype }: HeadValue, dims: readonly unknown[], optional: boolean): TensorSpec[] {
  if (datatype === undefined) return [];
  const shape = dims.map((dim) => (typeof dim === 'number' ? dim : -1));
  return [{ name, datatype, shape, ...(optional ? { optional } : {}) }];
}

export interface ManifestParts {
  model: string;
  version: number;
  /** ISO 8601. */
  createdAt: string;
  files: readonly ManifestFile[];
  head: OnnxHead;
  details?: Details | undefined;
}

/** The manifest of a version, derived from its graph and what the publisher says beside it. */
export function manifestOf(parts: ManifestParts): Manifest {
  const { model, version, createdAt, files, head, details = {} } = parts;
  const derived = {
    schemaVersion: MANIFEST_SCHEMA_VERSION,
    model,
    version,
    createdAt,
    files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)),
    onnx: { irVersion: head.irVersion, opsets: Object.fromEntries(head.opsets) },
    signature: signatureOf(head),
  } as const;
  return { ...derived, ...details, ...derived };
}

/** The bytes of a manifest as they are stored and digested: the same for equal manifests, whoever writes them. */
export function serializeManifest(manifest: Manifest): string {
  return `${stringifyJson(manifest, 2)}\n`;
}
