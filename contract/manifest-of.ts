import type { Details, Manifest, ManifestFile } from './manifest.ts';
import type { OnnxHead } from './onnx/graph.ts';
import type { Signature } from './signature.ts';

/** The tensors that the model takes and gives. Inputs that cannot be served are left out here and refused by `admit`. */
export function signatureOf(head: OnnxHead): Signature {
  throw new Error(`not yet written: ${head.irVersion}`);
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
  throw new Error(`not yet written: ${parts.model}`);
}

/** The bytes of a manifest as they are stored and digested: the same for equal manifests, whoever writes them. */
export function serializeManifest(manifest: Manifest): string {
  throw new Error(`not yet written: ${manifest.model}`);
}
