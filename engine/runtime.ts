import { encodeModel } from '../contract/onnx/encode.ts';

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

/** A graph of one node, y = x. */
const TRIVIAL = encodeModel({
  inputs: [{ name: 'x', type: 'float', dims: [1] }],
  outputs: [{ name: 'y', type: 'float', dims: [1] }],
  nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
});

/** Has the runtime set itself up, so that the first model is not charged with the time and the memory which that takes. */
export async function warmRuntime(): Promise<void> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(TRIVIAL, { logSeverityLevel: 4 });
  await session.run({ x: new Tensor('float32', new Float32Array(1), [1]) });
  await session.release();
}
