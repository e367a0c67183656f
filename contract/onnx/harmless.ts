import { domainName } from '../runtime.ts';
import type { OnnxHead } from './graph.ts';

/** Operators of the model that are not proved harmless, as sorted `domain:type` (the default domain is `ai.onnx`). */
export function unprovedOperators(head: OnnxHead): string[] {
  return head.operators.map(({ domain, type }) => `${domainName(domain)}:${type}`).sort();
}
