import * as z from 'zod';

/**
 * Why a version may not serve here. Each code is stable: it labels metrics, stands in `/versions` and in the log.
 * `refused` means that the bytes or what they declare do not fit; the version is looked at again
 * only when its bytes change, or the loader that judges it: its release, runtime or limits.
 * `failed` means that an attempt went wrong in a way that can depend on the machine; it is tried again a few times.
 */
export const REFUSALS = {
  // What lies in the bucket
  'model-file-missing': { state: 'refused', about: 'the version holds no model.onnx' },
  'bare-several-files': {
    state: 'refused',
    about: 'a version of several files has no manifest to say when it is complete',
  },
  'file-missing': { state: 'refused', about: 'a file that the manifest names is not there' },
  'file-undeclared': { state: 'refused', about: 'a file lies in the version that its manifest does not name' },
  'size-mismatch': { state: 'refused', about: 'a file has another size than its manifest names' },
  'digest-mismatch': { state: 'refused', about: 'a file has another sha256 than its manifest names' },
  'manifest-changed': { state: 'refused', about: 'the manifest is not the one that the index vouched for' },
  'version-changed': { state: 'refused', about: 'the bytes of a version that was already vouched for changed' },
  'version-too-large': {
    state: 'refused',
    about: 'the files of the version are larger together than the loader takes',
  },
  'path-unsafe': { state: 'refused', about: 'a file path leaves the folder of its version' },
  // What the manifest says
  'manifest-invalid': { state: 'refused', about: 'the manifest does not have its form' },
  'manifest-schema': { state: 'refused', about: 'the manifest has a schemaVersion that this Kedge does not know' },
  'manifest-misplaced': { state: 'refused', about: 'the manifest names another model or version than its folder' },
  // What the ONNX file says
  'onnx-empty': { state: 'refused', about: 'model.onnx has no bytes' },
  'onnx-not-a-model': { state: 'refused', about: 'model.onnx is something else than an ONNX model' },
  'onnx-truncated': { state: 'refused', about: 'model.onnx ends before its end' },
  'onnx-malformed': { state: 'refused', about: 'model.onnx is damaged' },
  'onnx-too-large': { state: 'refused', about: 'model.onnx is larger than the runtime can parse' },
  'ir-version': { state: 'refused', about: 'the IR version is newer than the runtime takes' },
  opset: { state: 'refused', about: 'an opset is newer than the runtime takes' },
  'operator-domain': { state: 'refused', about: 'the graph uses operators of a domain that the runtime does not have' },
  'no-inputs-or-outputs': { state: 'refused', about: 'there is nothing to serve' },
  'datatype-unsupported': { state: 'refused', about: 'an input or output has a type that cannot be served' },
  'tensor-too-large': { state: 'refused', about: 'an initializer declares more data than the file holds' },
  'external-data-path': { state: 'refused', about: 'external data lies outside of the folder of the version' },
  'external-data-missing': { state: 'refused', about: 'external data is not among the files of the version' },
  'external-data-short': { state: 'refused', about: 'external data is shorter than the graph declares' },
  'function-depth': { state: 'refused', about: 'model-local functions call each other too deep or too often' },
  'name-unusable': { state: 'refused', about: 'an input or output has a name that the runtime loses' },
  'signature-mismatch': { state: 'refused', about: 'the manifest declares another signature than the graph has' },
  'signature-contract': { state: 'refused', about: 'inputs or outputs changed against the contract of the model' },
  // What this code takes
  'estimator-missing': { state: 'refused', about: 'the estimator that the version needs is not in this server' },
  'estimator-version': { state: 'refused', about: 'the estimator here has a version outside of the range' },
  'features-changed': {
    state: 'refused',
    about: 'the feature schema here differs from the one that the version was trained with',
  },
  'server-version': { state: 'refused', about: 'the version needs another release of Kedge' },
  'memory-budget': { state: 'refused', about: 'the version takes more memory than there is' },
  // What a try showed
  'samples-mismatch': { state: 'refused', about: 'the samples in the manifest do not come out' },
  'load-failed': { state: 'refused', about: 'the runtime refused to load the model' },
  'run-failed': { state: 'refused', about: 'the runtime failed on a sample of the manifest' },
  'load-timeout': { state: 'failed', about: 'loading took longer than the limit' },
  'run-timeout': { state: 'failed', about: 'a run took longer than the limit' },
  'memory-limit': { state: 'failed', about: 'loading or running passed the memory limit' },
  'process-crashed': { state: 'failed', about: 'loading or running killed the process' },
  'fetch-failed': { state: 'failed', about: 'the files could not be fetched' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

export interface Refusal {
  code: RefusalCode;
  /** What is wrong and what to do about it, in one or two sentences. */
  message: string;
  /** What would have been right, where there is such a thing. */
  expected?: string | undefined;
  found?: string | undefined;
}

export const refusalSchema = z.object({
  code: z.enum(Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]]),
  message: z.string(),
  expected: z.string().optional(),
  found: z.string().optional(),
});

/** `failed` only when every reason may go away by itself; anything certain makes it `refused`. */
export function stateOf(reasons: readonly Refusal[]): 'refused' | 'failed' {
  return reasons.every((reason) => REFUSALS[reason.code].state === 'failed') ? 'failed' : 'refused';
}
