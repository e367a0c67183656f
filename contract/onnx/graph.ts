import type { Datatype } from '../signature.ts';

/** What the head of an ONNX file says: everything but the contents of its tensors. */
export interface OnnxHead {
  /** Size of the file in bytes. */
  bytes: number;
  irVersion: number;
  producer: { name: string; version: string };
  /** Opset version by domain. The default domain is '' however the file writes it. */
  opsets: Map<string, number>;
  /** Inputs that a request may give, in the order of the graph. */
  inputs: HeadInput[];
  outputs: HeadValue[];
  /** Every operator with how often the file writes it, nested graphs and model-local functions included; sorted. */
  operators: OperatorUse[];
  /** Tensors whose data lies in other files, wherever in the graph they stand. */
  external: ExternalData[];
  /** Tensors that declare more data than they hold, wherever in the graph they stand. */
  oversized: OversizedTensor[];
  metadata: Map<string, string>;
  graph: HeadGraph;
  functions: HeadFunction[];
  /** What the calls among model-local functions come to. */
  calls: FunctionCalls;
}

/** A graph, or the body of an If, Loop, Scan. */
export interface HeadGraph {
  nodes: HeadNode[];
  /** All inputs that the graph lists, initializers among them included. */
  inputs: HeadValue[];
  outputs: HeadValue[];
  /** By name. Sparse ones stand here too, with the dense shape. */
  initializers: Map<string, HeadTensor>;
  /** Types that the file declares for values between nodes, by name. */
  values: Map<string, HeadValue>;
}

export interface HeadNode {
  /** '' is the default domain. */
  domain: string;
  type: string;
  overload: string;
  /** '' stands for an optional input or output that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, HeadAttribute>;
  /** Of tree ensembles: whether every child comes after its parent, so that no walk can go round for ever. */
  treesEnd?: boolean;
}

export interface HeadAttribute {
  /** Set where a function takes the value of this attribute from its caller. */
  ref?: string;
  int?: bigint;
  float?: number;
  /** Of a string attribute: its text, cut after 64 KiB. */
  text?: string;
  /** Of a list: the number of elements. The elements themselves are kept only in `ints`, and only of short lists. */
  count?: number;
  ints?: bigint[];
  tensor?: HeadTensor;
  graphs?: HeadGraph[];
}

export interface HeadTensor {
  name: string;
  /** TensorProto.DataType. */
  elementType: number;
  dims: bigint[];
  sparse: boolean;
  external: boolean;
  /** The elements of a short integer tensor, such as a shape or axes; absent for all others. */
  ints?: bigint[];
}

export interface HeadValue {
  name: string;
  /** The runtime's name of the type: `tensor(float)`, `seq(map(int64,tensor(float)))`; '' where the file gives none. */
  type: string;
  /** Absent where the value is no tensor, or one of elements that cannot be served. */
  datatype?: Datatype;
  /** A number is fixed, a string a symbol, undefined free and nameless. Absent where the file declares no shape. */
  dims?: (number | string | undefined)[];
}

export interface HeadInput extends HeadValue {
  /** The graph holds a default for it, so a request may leave it out. */
  optional: boolean;
}

export interface HeadFunction {
  domain: string;
  name: string;
  overload: string;
  nodes: HeadNode[];
  opsets: Map<string, number>;
}

export interface FunctionCalls {
  /** Longest chain of calls: 0 without calls, Infinity where functions call each other in a ring. */
  depth: number;
  /** Nodes after every call is replaced by the body of its function; Infinity for a ring. Exact up to 2^53. */
  nodes: number;
}

export interface OperatorUse {
  domain: string;
  type: string;
  count: number;
}

export interface ExternalData {
  tensor: string;
  /** As the file writes it: it may leave the folder. */
  location: string;
  /** Bytes into that file. */
  offset: bigint;
  /** As the file declares it; absent: to the end of that file. */
  length?: bigint;
  /** What element type and dims come to; absent where they cannot tell. */
  declared?: bigint;
}

export interface OversizedTensor {
  tensor: string;
  /** What element type and dims come to, in `unit`. Of a sparse tensor: as the runtime unfolds it. */
  declared: bigint;
  /** What the file can hold for it at most; of a sparse tensor, what the runtime can unfold. */
  held: bigint;
  unit: 'bytes' | 'strings';
  sparse: boolean;
}
