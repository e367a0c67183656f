import { allNodes, countCalls, functionKey } from './functions.ts';
import type { HeadFunction, HeadGraph, HeadInput, HeadNode, OnnxHead, OperatorUse } from './graph.ts';
import { normalDomain, readGraph, readNode } from './read-graph.ts';
import { readEntry, type TensorFindings } from './read-tensor.ts';
import { Broken, LEN, type Source, VARINT, type Walk } from './source.ts';

/** Since this IR version an initializer need not be listed among the inputs; before, every one was. */
const FREE_INITIALIZERS = 4;

/** What of a ModelProto was read so far. Kept outside of the walk, so that a failure can tell how far it came. */
export interface ModelParts extends TensorFindings {
  irVersion?: number;
  producer: { name: string; version: string };
  opsets: Map<string, number>;
  metadata: Map<string, string>;
  functions: HeadFunction[];
  /** A field that can only be the graph was met. */
  met: boolean;
  graph?: HeadGraph;
}

export function newParts(): ModelParts {
  return {
    producer: { name: '', version: '' },
    opsets: new Map(),
    metadata: new Map(),
    functions: [],
    external: [],
    oversized: [],
    met: false,
  };
}

/** A ModelProto: the whole file. */
export function* readModel(source: Source, parts: ModelParts): Walk<OnnxHead> {
  source.enter();
  while (source.pos < source.size) {
    if (source.short) yield* source.fill();
    source.next(source.size);
    const { stop } = source;
    switch (source.field) {
      case 1:
        source.expect(VARINT);
        parts.irVersion = Number(source.bigint);
        break;
      case 2:
        parts.producer.name = yield* source.name();
        break;
      case 3:
        parts.producer.version = yield* source.name();
        break;
      case 7:
        source.expect(LEN);
        parts.met = true;
        if (parts.graph) throw new Broken('onnx-malformed', 'it holds two graphs');
        parts.graph = yield* readGraph(source, stop, parts);
        break;
      case 8:
        source.expect(LEN);
        yield* readOpset(source, stop, parts.opsets);
        break;
      case 14:
        source.expect(LEN);
        yield* readEntry(source, stop, parts.metadata);
        break;
      case 25:
        source.expect(LEN);
        parts.functions.push(yield* readFunction(source, stop, parts));
        break;
      default:
        source.skip();
    }
  }
  return finish(source.size, parts);
}

/** An OperatorSetIdProto. Of a domain that is named twice the newer version counts. */
function* readOpset(source: Source, end: number, opsets: Map<string, number>): Walk<void> {
  let domain = '';
  let version = 0;
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) domain = normalDomain(yield* source.name());
    else if (source.field === 2) {
      source.expect(VARINT);
      version = Number(source.bigint);
    } else source.skip();
  }
  source.keep(100);
  opsets.set(domain, Math.max(version, opsets.get(domain) ?? 0));
}

/** A FunctionProto that ends at `end`. */
function* readFunction(source: Source, end: number, parts: ModelParts): Walk<HeadFunction> {
  source.enter();
  source.keep(400);
  const entry: HeadFunction = { domain: '', name: '', overload: '', nodes: [], opsets: new Map() };
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    const { field, stop } = source;
    if (source.wire !== LEN) source.skip();
    else if (field === 1) entry.name = yield* source.name();
    else if (field === 7) entry.nodes.push(yield* readNode(source, stop, parts));
    else if (field === 9) yield* readOpset(source, stop, entry.opsets);
    else if (field === 10) entry.domain = normalDomain(yield* source.name());
    else if (field === 13) entry.overload = yield* source.name();
    else source.skip();
  }
  source.leave();
  return entry;
}

function finish(bytes: number, parts: ModelParts): OnnxHead {
  const { irVersion, producer, opsets, metadata, functions, external, oversized, graph } = parts;
  if (!graph) throw new Broken('onnx-not-a-model', 'it holds no graph');
  if (irVersion === undefined) throw new Broken('onnx-malformed', 'it names no IR version');
  if (opsets.size === 0) throw new Broken('onnx-malformed', 'it names no opset');
  return {
    bytes,
    irVersion,
    producer,
    opsets,
    metadata,
    functions,
    external,
    oversized,
    graph,
    inputs: requestInputs(graph, irVersion),
    outputs: graph.outputs,
    operators: operatorsOf(graph.nodes, functions),
    calls: countCalls(graph.nodes, functions),
  };
}

/** Inputs without those that are only initializers listed twice; from IR 4 an initializer of an input is its default. */
function requestInputs(graph: HeadGraph, irVersion: number): HeadInput[] {
  const inputs = graph.inputs.map((input) => ({ ...input, optional: graph.initializers.has(input.name) }));
  return irVersion < FREE_INITIALIZERS ? inputs.filter((input) => !input.optional) : inputs;
}

/** A call of a function is no operator; but in the default domain the runtime may take its own operator of that name. */
function operatorsOf(nodes: readonly HeadNode[], functions: readonly HeadFunction[]): OperatorUse[] {
  const known = new Set(functions.map(functionKey));
  const uses = new Map<string, OperatorUse>();
  for (const list of [nodes, ...functions.map((entry) => entry.nodes)]) {
    for (const node of allNodes(list)) {
      if (node.domain !== '' && known.has(functionKey(node))) continue;
      const key = `${node.domain}:${node.type}`;
      const use = uses.get(key) ?? { domain: node.domain, type: node.type, count: 0 };
      use.count++;
      uses.set(key, use);
    }
  }
  return [...uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}
