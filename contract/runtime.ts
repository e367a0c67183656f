/** What a runtime takes. */
export interface RuntimeLimits {
  name: string;
  version: string;
  maxIrVersion: number;
  /** The newest opset of each domain that is built in; '' is the default domain. */
  opsets: Readonly<Record<string, number>>;
}

/** The pinned onnxruntime-node. */
export const RUNTIME: RuntimeLimits = {
  name: 'onnxruntime',
  version: '1.30.0',
  maxIrVersion: 13,
  opsets: { '': 26, 'ai.onnx.ml': 5, 'com.microsoft': 1 },
};
