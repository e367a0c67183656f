import { elementCode } from './elements.ts';
import { type Fact, freeDim, UNKNOWN, type Use } from './facts.ts';
import type { HeadGraph, HeadNode, HeadTensor, HeadValue, OnnxHead } from './graph.ts';
import { operatorOf } from './operators.ts';

/** What is known of every value of the main graph, by name. */
export type Facts = ReadonlyMap<string, Fact>;

/**
 * Follows element types, shapes and constants through the main graph, node by node in the order of the file (which is
 * topological). Shapes that the file declares are hints and are not believed; element types are, because the runtime refuses
 * to load a model that declares wrong ones.
 */
export function inferFacts(head: OnnxHead): Facts {
  const { graph, irVersion } = head;
  const facts = new Map<string, Fact>();
  const declared = declaredElements(graph);
  for (const [index, input] of graph.inputs.entries()) facts.set(input.name, inputFact(input, index));
  for (const tensor of graph.initializers.values()) {
    // From IR version 4 an initializer that is an input too can be replaced by a request.
    if (irVersion < 4 || !facts.has(tensor.name)) facts.set(tensor.name, tensorFact(tensor));
  }
  for (const node of graph.nodes) {
    const use = useOf(node, facts, head.opsets);
    for (const [index, fact] of outputsOf(use).entries()) {
      const name = node.outputs[index]!;
      facts.set(name, { ...fact, element: fact.element ?? declared.get(name) });
    }
  }
  return facts;
}

/** A node with the facts of its inputs. */
export function useOf(node: HeadNode, facts: Facts, opsets: ReadonlyMap<string, number>): Use {
  return {
    node,
    inputs: node.inputs.map((name) => (name === '' ? undefined : (facts.get(name) ?? UNKNOWN))),
    opset: opsets.get(node.domain) ?? 1,
  };
}

function outputsOf(use: Use): Fact[] {
  const { node, inputs, opset } = use;
  const row = operatorOf(node.domain, node.type, opset);
  if (!row) return node.outputs.map(() => UNKNOWN);
  const shapes = row.shape(use);
  const elements = row.element(use);
  const constant = inputs.every((input) => input === undefined || input.constant);
  const ints = node.type === 'Constant' ? constantInts(node) : undefined;
  return node.outputs.map((_, index) => ({ element: elements[index], shape: shapes[index], constant, ints }));
}

function constantInts({ attributes }: HeadNode): readonly bigint[] | undefined {
  const single = attributes.get('value_int')?.int;
  return (
    attributes.get('value')?.tensor?.ints ??
    attributes.get('value_ints')?.ints ??
    (single === undefined ? undefined : [single])
  );
}

function inputFact({ dims, type }: HeadValue, index: number): Fact {
  const shape = dims?.map((dim, axis) => (typeof dim === 'number' ? dim : freeDim(index, axis)));
  return { element: elementOfType(type), shape, constant: false };
}

function tensorFact({ elementType, dims, ints }: HeadTensor): Fact {
  return { element: elementType, shape: dims.map(Number), constant: true, ints };
}

function elementOfType(type: string): number | undefined {
  return elementCode(/^tensor\((.*)\)$/.exec(type)?.[1] ?? '');
}

function declaredElements({ values, outputs }: HeadGraph): Map<string, number> {
  const elements = new Map<string, number>();
  for (const { name, type } of [...values.values(), ...outputs]) {
    const element = elementOfType(type);
    if (element !== undefined) elements.set(name, element);
  }
  return elements;
}
