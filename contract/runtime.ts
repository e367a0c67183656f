/** What a runtime takes. */
export interface RuntimeLimits {
  name: string;
  version: string;
  maxIrVersion: number;
  /** The newest opset of each domain that is built in; '' is the default domain. */
  opsets: ReadonlyMap<string, number>;
  /** The largest model.onnx that its protobuf parser takes; weights beside it in external data do not count. */
  maxModelBytes: number;
}

/**
 * The pinned onnxruntime-node. The figures were found by trying each version on it; contract/runtime.test.ts tries them
 * again, so that another release of the runtime cannot come in without them.
 */
export const RUNTIME: RuntimeLimits = {
  name: 'onnxruntime',
  version: '1.30.0',
  maxIrVersion: 13,
  opsets: new Map([
    ['', 26],
    ['ai.onnx.ml', 5],
    ['ai.onnx.training', 1],
    ['ai.onnx.preview', 1],
    ['ai.onnx.preview.training', 1],
    ['com.microsoft', 1],
    ['com.microsoft.nchwc', 1],
    ['com.microsoft.experimental', 1],
    ['com.ms.internal.nhwc', 26],
    ['org.pytorch.aten', 1],
  ]),
  maxModelBytes: 2 ** 31 - 1,
};

/** How a domain is written for people: the default domain has a name. */
export function domainName(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}
