import type { OnnxHead } from './graph.ts';

/** Operators of the model that are not proved harmless, as sorted `domain:type` (the default domain is `ai.onnx`). */
export function unprovedOperators(head: OnnxHead): string[] {
  throw new Error(`not yet written: ${head.irVersion}`);
}
