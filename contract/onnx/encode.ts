/**
 * A small writer of ONNX models, for tests, the quickstart and the trainer. Field numbers: onnx/onnx.proto.
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
  external?: { location: string; offset?: number; length?: number };
}

export interface EncodeValue {
  name: string;
  /** A tensor of these elements, or the whole type in the runtime's form for sequences, maps and optionals. */
  type: ElementName | `seq(${string})` | `map(${string})` | `optional(${string})`;
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
}

export interface EncodeGraph {
  name?: string;
  inputs?: readonly EncodeValue[];
  outputs: readonly EncodeValue[];
  nodes: readonly EncodeNode[];
  initializers?: readonly (EncodeTensor & { name: string })[];
}

export interface EncodeFunction {
  domain: string;
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  nodes: readonly EncodeNode[];
  opsets?: Readonly<Record<string, number>>;
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

/** The bytes of model.onnx. */
export function encodeModel(model: EncodeModel): Uint8Array {
  throw new Error(`not yet written: ${model.nodes.length}`);
}
