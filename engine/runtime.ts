/** The module of the runtime: its native library is loaded on first use, so that a process that only talks to hosts never has it. */
export type Runtime = typeof import('onnxruntime-node');

let loading: Promise<Runtime> | undefined;

export function loadRuntime(): Promise<Runtime> {
  loading ??= import('onnxruntime-node').then((runtime) => {
    // Its warnings would stand between the JSON lines of the log; what matters comes as an exception.
    runtime.env.logLevel = 'fatal';
    return runtime;
  });
  return loading;
}
