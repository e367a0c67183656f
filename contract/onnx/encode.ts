import { codeOf, writeSparse, writeTensor } from './encode-tensor.ts';
import { Writer } from './writer.ts';

/**
 * A small writer of ONNX models, for tests, the quickstart and the trainer. Field numbers: onnx/onnx.proto.
 * It writes what it is given and checks nothing, so that tests can write what is wrong.
 */

/** The attribute kinds that operators of ONNX take. */
export type EncodeAttribute =
  | { int: number | bigint }
  | { float: number }
  | { string: string }
  | { ints: readonly (number | bigint)[] }
  | { floats: readonly number[] }
  | { strings: readonly string[] }
  | { tensor: EncodeTensor }
  | { sparse: EncodeSparse }
  | { ref: string; kind: number }
  | { graph: EncodeGraph };

export type ElementName =
  | 'float'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'string'
  | 'bool'
  | 'float16'
  | 'double'
  | 'uint32'
  | 'uint64'
  | 'bfloat16';

export interface EncodeTensor {
  name?: string;
  type: ElementName;
  dims: readonly (number | bigint)[];
  /** Elements, row-major. Left out with `external`, or on purpose by a test. */
  data?: readonly (number | bigint | boolean | string)[];
  /** Elements as bytes, little-endian: for large tensors, instead of `data`. */
  raw?: Uint8Array;
  /** Write `data` into the typed field (float_data, int64_data …) rather than raw_data. */
  typed?: boolean;
  external?: { location: string; offset?: number; length?: number };
}

/** `values` holds the elements that are not zero, `indices` where in the flat tensor they stand. */
export interface EncodeSparse {
  values: EncodeTensor;
  indices: EncodeTensor;
  dims: readonly (number | bigint)[];
}

export interface EncodeValue {
  name: string;
  /** A tensor of these elements, or the whole type in the runtime's form for sequences, maps and optionals. Absent: none is declared. */
  type?: ElementName | `seq(${string})` | `map(${string})` | `optional(${string})`;
  /** number: fixed; string: a symbol; null: free without a name. Absent: no shape is declared. */
  dims?: readonly (number | string | null)[];
}

export interface EncodeNode {
  type: string;
  domain?: string;
  name?: string;
  inputs?: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, EncodeAttribute>>;
  overload?: string;
}

interface EncodeGraph {
  name?: string;
  inputs?: readonly EncodeValue[];
  outputs: readonly EncodeValue[];
  nodes: readonly EncodeNode[];
  initializers?: readonly (EncodeTensor & { name: string })[];
  sparseInitializers?: readonly EncodeSparse[];
}

interface EncodeFunction {
  domain: string;
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  nodes: readonly EncodeNode[];
  opsets?: Readonly<Record<string, number>>;
  /** Names of attributes that a caller gives. */
  attributes?: readonly string[];
}

export interface EncodeModel extends EncodeGraph {
  /** Default 8. */
  irVersion?: number;
  /** By domain; default { '': 15 }. */
  opsets?: Readonly<Record<string, number>>;
  producer?: { name: string; version: string };
  functions?: readonly EncodeFunction[];
  metadata?: Readonly<Record<string, string>>;
}

/** The bytes of model.onnx. @throws Error for an element name that ONNX does not have */
export function encodeModel(model: EncodeModel): Uint8Array {
  const { irVersion = 8, opsets = { '': 15 }, producer, functions = [], metadata = {} } = model;
  const writer = new Writer().int(1, irVersion);
  if (producer) writer.text(2, producer.name).text(3, producer.version);
  writer.message(7, (inner) => writeGraph(inner, model));
  for (const [domain, version] of Object.entries(opsets))
    writer.message(8, (inner) => writeOpset(inner, domain, version));
  for (const [key, value] of Object.entries(metadata)) writer.message(14, (inner) => inner.text(1, key).text(2, value));
  for (const entry of functions) writer.message(25, (inner) => writeFunction(inner, entry));
  return writer.done();
}

function writeOpset(writer: Writer, domain: string, version: number): void {
  writer.text(1, domain).int(2, version);
}

function writeFunction(writer: Writer, entry: EncodeFunction): void {
  writer.text(1, entry.name);
  for (const name of entry.inputs) writer.text(4, name);
  for (const name of entry.outputs) writer.text(5, name);
  for (const name of entry.attributes ?? []) writer.text(6, name);
  for (const node of entry.nodes) writer.message(7, (inner) => writeNode(inner, node));
  for (const [domain, version] of Object.entries(entry.opsets ?? { '': 15 })) {
    writer.message(9, (inner) => writeOpset(inner, domain, version));
  }
  writer.text(10, entry.domain);
}

function writeGraph(writer: Writer, graph: EncodeGraph): void {
  for (const node of graph.nodes) writer.message(1, (inner) => writeNode(inner, node));
  writer.text(2, graph.name ?? 'graph');
  for (const tensor of graph.initializers ?? []) writer.message(5, (inner) => writeTensor(inner, tensor));
  for (const value of graph.inputs ?? []) writer.message(11, (inner) => writeValue(inner, value));
  for (const value of graph.outputs) writer.message(12, (inner) => writeValue(inner, value));
  for (const tensor of graph.sparseInitializers ?? []) writer.message(15, (inner) => writeSparse(inner, tensor));
}

function writeNode(writer: Writer, node: EncodeNode): void {
  for (const name of node.inputs ?? []) writer.text(1, name);
  for (const name of node.outputs) writer.text(2, name);
  if (node.name !== undefined) writer.text(3, node.name);
  writer.text(4, node.type);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    writer.message(5, (inner) => writeAttribute(inner.text(1, name), attribute));
  }
  if (node.domain !== undefined) writer.text(7, node.domain);
  if (node.overload !== undefined) writer.text(8, node.overload);
}

/** The number after the value is AttributeProto.type. */
function writeAttribute(writer: Writer, attribute: EncodeAttribute): Writer {
  if ('float' in attribute) return writer.float(2, attribute.float).int(20, 1);
  if ('int' in attribute) return writer.int(3, attribute.int).int(20, 2);
  if ('string' in attribute) return writer.text(4, attribute.string).int(20, 3);
  if ('tensor' in attribute) return writer.message(5, (inner) => writeTensor(inner, attribute.tensor)).int(20, 4);
  if ('graph' in attribute) return writer.message(6, (inner) => writeGraph(inner, attribute.graph)).int(20, 5);
  if ('sparse' in attribute) return writer.message(22, (inner) => writeSparse(inner, attribute.sparse)).int(20, 11);
  if ('ref' in attribute) return writer.text(21, attribute.ref).int(20, attribute.kind);
  if ('floats' in attribute) {
    for (const value of attribute.floats) writer.float(7, value);
    return writer.int(20, 6);
  }
  if ('ints' in attribute) {
    for (const value of attribute.ints) writer.int(8, value);
    return writer.int(20, 7);
  }
  for (const value of attribute.strings) writer.text(9, value);
  return writer.int(20, 8);
}

function writeValue(writer: Writer, { name, type, dims }: EncodeValue): void {
  writer.text(1, name);
  if (type !== undefined) writer.message(2, (inner) => writeType(inner, type, dims));
}

/** A TypeProto from the runtime's name for it; a bare element name is a tensor of it. */
function writeType(writer: Writer, type: string, dims?: EncodeValue['dims']): Writer {
  const [, kind, inside] = /^(tensor|seq|map|optional)\((.*)\)$/.exec(type) ?? [];
  if (kind === 'seq') return writer.message(4, (inner) => inner.message(1, (element) => writeType(element, inside!)));
  if (kind === 'optional')
    return writer.message(9, (inner) => inner.message(1, (element) => writeType(element, inside!)));
  if (kind === 'map') {
    const comma = inside!.indexOf(',');
    return writer.message(5, (inner) =>
      inner.int(1, codeOf(inside!.slice(0, comma))).message(2, (value) => writeType(value, inside!.slice(comma + 1))),
    );
  }
  return writer.message(1, (inner) => {
    inner.int(1, codeOf(inside ?? type));
    if (dims) inner.message(2, (shape) => dims.map((dim) => shape.message(1, (entry) => writeDim(entry, dim))));
  });
}

function writeDim(writer: Writer, dim: number | string | null): void {
  if (typeof dim === 'number') writer.int(1, dim);
  else if (dim !== null) writer.text(2, dim);
}
