import type { ManifestFile } from '../contract/manifest.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';

/** A version on the volume, to be loaded. */
export interface LoadRequest {
  /** For messages: `demand/8`. */
  name: string;
  /** Absolute folder that holds model.onnx and whatever else `files` names. */
  dir: string;
  /** What was vouched for; the engine checks sizes and sha256 of what it reads. */
  files: readonly ManifestFile[];
  signature: Signature;
  /** Outputs whose first dimension was seen to follow the rows, whatever the graph declares. */
  rowOutputs?: readonly string[];
}

export interface RunOptions {
  /**
   * Ends the wait after this time, with `engine-timeout`. The run itself goes on: it cannot be interrupted, and a caller in a
   * hurry must not end a process that others wait for. A host ends it at the limit of its engine.
   */
  timeoutMs?: number;
}

/** A model that can answer. Safe to call concurrently. */
export interface LoadedModel {
  readonly signature: Signature;
  /**
   * One inference. The inputs are checked against the signature first (names, datatypes, ranks, fixed dimensions, element
   * counts), defaults fill optional inputs, and zero-size axes are answered without the runtime.
   * @param outputs names of the outputs wanted, in the order wanted; all tensor outputs if absent
   * @throws KedgeError `request-invalid` for inputs that do not fit, and where an operator refuses their shapes or values;
   *   `engine-failed` where the runtime fails otherwise; `engine-timeout`, `engine-crashed`, `engine-memory` where the run
   *   ended its process; `model-not-ready` while that is started again, and after release
   */
  run(inputs: Tensors, outputs?: readonly string[], options?: RunOptions): Promise<Tensors>;
  /** Resolves once the runtime gave the model up; waits for runs under way. Later calls do nothing. */
  release(): Promise<void>;
}

/** Loads models and runs them. Two implementations, one suite: on the event loop of this process, or in a host process. */
export interface Engine {
  readonly kind: 'inline' | 'host';
  /** @throws KedgeError `object-corrupt` for other bytes than vouched for, `engine-failed` where the runtime refuses, `engine-timeout`, `engine-crashed`, `engine-memory` */
  load(request: LoadRequest): Promise<LoadedModel>;
  close(): Promise<void>;
}
