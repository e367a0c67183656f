import type { KedgeError } from '../contract/errors.ts';
import type { ManifestFile, Sample } from '../contract/manifest.ts';
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
  /** Rows of several requests may be answered in one run: proved, or declared by the publisher. A trial at load can still forbid it. */
  mergeRows?: boolean;
  /** Inputs that the trial takes rows from; made-up ones if there are none. */
  samples?: readonly Sample[] | undefined;
  /** What a probe measured: a heavy version gets a host process of its own. */
  cost?: { loadMs: number; runMs: number; memoryBytes: number } | undefined;
}

export interface LoadOptions {
  /**
   * Called when the version ended its host process so often in short time that it should not be served. It is loaded again with
   * growing waits all the same, until it is released.
   */
  onUnfit?(reason: KedgeError): void;
  /**
   * Called when its host process ended, and loading it in another one failed several times: it answers nothing. It is tried on, with growing
   * waits, until it is released. The cause of the reason is the last error.
   */
  onLost?(reason: KedgeError): void;
}

/** What one request's run came to. Times in milliseconds. */
export interface RunTimes {
  /** From when it was asked to when its run began, and between its parts. */
  queueMs: number;
  /** Of the run, which it may have shared; of all its runs, where its rows were run in parts. */
  computeMs: number;
  /** Rows and requests of the run; all rows of a request that was run in parts. */
  rows: number;
  requests: number;
}

/** What waits for a model, for admission of load and metrics. */
export interface WorkView {
  /** Requests that wait, and their rows. */
  requests: number;
  rows: number;
  /** Runs under way. */
  runs: number;
  /** What a row costs in milliseconds, as runs of late show; undefined before the first. */
  rowMs: number | undefined;
}

export interface RunOptions {
  /**
   * Ends the wait after this time, with `engine-timeout`. What has not begun by then is not run, nor are further parts. A run itself goes on: it cannot be interrupted, and a caller in a
   * hurry must not end a process that others wait for. A host ends it at the limit of its engine.
   */
  timeoutMs?: number;
  /** A request that still waits when this aborts is dropped, and rejects with the reason. */
  signal?: Pick<AbortSignal, 'aborted' | 'reason'> | undefined;
  /** Higher ones of a model run first. Default 0. */
  priority?: number;
  /** Called once, before the answer, of a request that was run. */
  onRun?(times: RunTimes): void;
}

/** A model that can answer. Safe to call concurrently. */
export interface LoadedModel {
  readonly signature: Signature;
  /** Whether rows of several requests are answered in one run, and why, or why not. Absent where the engine has no say. */
  readonly merging?: { merges: boolean; because: string } | undefined;
  /** What waits now. */
  readonly work?: WorkView;
  /** Memory that it takes since it was loaded, in bytes, where the engine can tell: what its host has of its own, or its part in a shared one. */
  readonly memoryBytes?: number | undefined;
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
  load(request: LoadRequest, options?: LoadOptions): Promise<LoadedModel>;
  close(): Promise<void>;
}
