import type { HeadAttribute, HeadGraph, HeadNode, HeadTensor } from './graph.ts';
import { floatCount, readSparse, readTensor, type TensorFindings } from './read-tensor.ts';
import { readValue } from './read-type.ts';
import { Broken, LEN, type Source, VARINT, type Walk } from './source.ts';
import { type Numbers, TreeOrder } from './tree-order.ts';

/** Lists of integers of at most this many elements are kept. */
const KEPT_INTS = 64;

/** Longer than any mode of a tree node. */
const MODE_BYTES = 32;

/** 'ai.onnx' is another spelling of the default domain. */
export function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** A GraphProto that ends at `end`. */
export function* readGraph(source: Source, end: number, findings: TensorFindings): Walk<HeadGraph> {
  source.enter();
  source.keep(400);
  const graph: HeadGraph = { nodes: [], inputs: [], outputs: [], initializers: new Map(), values: new Map() };
  const add = (tensor: HeadTensor): unknown => graph.initializers.set(tensor.name, tensor);
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    const { field, stop } = source;
    if (source.wire !== LEN) {
      source.skip();
      continue;
    }
    if (field === 1) graph.nodes.push(yield* readNode(source, stop, findings));
    else if (field === 5) add(yield* readTensor(source, stop, findings));
    else if (field === 11) graph.inputs.push(yield* readValue(source, stop));
    else if (field === 12) graph.outputs.push(yield* readValue(source, stop));
    else if (field === 13) {
      const value = yield* readValue(source, stop);
      graph.values.set(value.name, value);
    } else if (field === 15) add(yield* readSparse(source, stop, findings));
    else source.skip();
  }
  source.leave();
  return graph;
}

/** A NodeProto that ends at `end`. */
export function* readNode(source: Source, end: number, findings: TensorFindings): Walk<HeadNode> {
  source.enter();
  source.keep(250);
  const node: HeadNode = { domain: '', type: '', overload: '', inputs: [], outputs: [], attributes: new Map() };
  const order = new TreeOrder();
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    switch (source.field) {
      case 1:
        node.inputs.push(yield* source.name());
        break;
      case 2:
        node.outputs.push(yield* source.name());
        break;
      case 4:
        node.type = yield* source.name();
        break;
      case 5: {
        source.expect(LEN);
        const [name, attribute] = yield* readAttribute(source, source.stop, findings, order);
        node.attributes.set(name, attribute);
        break;
      }
      case 7:
        node.domain = normalDomain(yield* source.name());
        break;
      case 8:
        node.overload = yield* source.name();
        break;
      default:
        source.skip();
    }
  }
  if (/^TreeEnsemble(Classifier|Regressor)$/.test(node.type)) node.treesEnd = order.ends();
  source.leave();
  return node;
}

/** An AttributeProto that ends at `end`, with its name. Lists are counted; their elements are kept only where they are few. */
function* readAttribute(
  source: Source,
  end: number,
  findings: TensorFindings,
  order: TreeOrder,
): Walk<[string, HeadAttribute]> {
  source.enter();
  source.keep(120);
  const attribute: HeadAttribute = {};
  const ints: bigint[] = [];
  let list: Numbers | undefined;
  let name = '';
  let count = 0;
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    const { field, stop } = source;
    switch (field) {
      case 1:
        name = yield* source.name();
        list = order.list(name);
        break;
      case 2:
        attribute.float = source.float();
        break;
      case 3:
        source.expect(VARINT);
        attribute.int = source.bigint;
        break;
      case 4:
        attribute.text = yield* source.text();
        break;
      case 5:
      case 22:
        source.expect(LEN);
        if (attribute.tensor) throw new Broken('onnx-malformed', `the attribute '${name}' holds two tensors`);
        attribute.tensor = yield* (field === 5 ? readTensor : readSparse)(source, stop, findings);
        break;
      case 10:
      case 23:
        source.expect(LEN);
        yield* (field === 10 ? readTensor : readSparse)(source, stop, findings);
        count++;
        break;
      case 6:
      case 11:
        source.expect(LEN);
        if (field === 6 && attribute.graphs)
          throw new Broken('onnx-malformed', `the attribute '${name}' holds two graphs`);
        attribute.graphs ??= [];
        attribute.graphs.push(yield* readGraph(source, stop, findings));
        break;
      case 7:
        count += floatCount(source);
        source.skip();
        break;
      case 8:
        if (source.wire === LEN) count += yield* readInts(source, ints, list);
        else {
          source.expect(VARINT);
          takeInt(source, ints, list);
          count++;
        }
        break;
      case 9:
        count++;
        source.expect(LEN);
        if (list) list.mode(yield* source.payload(MODE_BYTES));
        else source.skip();
        break;
      case 21:
        attribute.ref = yield* source.name();
        break;
      default:
        source.skip();
    }
  }
  if (count > 0) attribute.count = count;
  if (ints.length > 0 && ints.length === count) attribute.ints = ints;
  source.leave();
  return [name, attribute];
}

function takeInt(source: Source, ints: bigint[], list: Numbers | undefined): void {
  list?.push(source.number);
  if (ints.length === KEPT_INTS) return;
  source.keep(16);
  ints.push(source.bigint);
}

/** A packed list; gives how many there are. */
function* readInts(source: Source, ints: bigint[], list: Numbers | undefined): Walk<number> {
  const { stop } = source;
  let count = 0;
  for (; source.pos < stop; count++) {
    if (source.short) yield* source.fill();
    source.element(stop);
    takeInt(source, ints, list);
  }
  return count;
}
