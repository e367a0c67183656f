import { domainName } from '../runtime.ts';
import { allNodes, functionKey } from './functions.ts';
import type { HeadNode, OnnxHead } from './graph.ts';
import { type Facts, inferFacts, useOf } from './infer.ts';
import { isHarmless, operatorOf } from './operators.ts';

const NOTHING: Facts = new Map();

/**
 * Operators of the model that are not proved harmless, as sorted `domain:type` (the default domain is `ai.onnx`): those
 * without a row in the table of operators, and those of which one use can run for ever, crash on a value, or make far more
 * than it is given. None means that no request can do so, whatever its values and sizes, and the graph may run on the
 * serving loop. Within nested graphs and functions nothing is known of inputs, so only what holds for all of them counts.
 */
export function unprovedOperators(head: OnnxHead): string[] {
  const facts = inferFacts(head);
  const functions = new Set(head.functions.map(functionKey));
  const unproved = new Set<string>();
  const judge = (nodes: Iterable<HeadNode>, known: Facts, opsets: ReadonlyMap<string, number>): void => {
    for (const node of nodes) {
      if (node.domain !== '' && functions.has(functionKey(node))) continue;
      const use = useOf(node, known, opsets);
      const row = operatorOf(node.domain, node.type, use.opset);
      if (!row || !isHarmless(row, use)) unproved.add(`${domainName(node.domain)}:${node.type}`);
    }
  };
  judge(head.graph.nodes, facts, head.opsets);
  for (const node of head.graph.nodes) judge(nested(node), NOTHING, head.opsets);
  for (const entry of head.functions) judge(allNodes(entry.nodes), NOTHING, entry.opsets);
  return [...unproved].sort();
}

function* nested(node: HeadNode): Generator<HeadNode> {
  for (const inner of allNodes([node])) if (inner !== node) yield inner;
}
