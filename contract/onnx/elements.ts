import type { Datatype } from '../signature.ts';

interface Element {
  /** As the runtime writes it in `tensor(…)`. */
  name: string;
  /** Bits of one element; 0 where it has no fixed size. Elements of less than 8 bits are packed. */
  bits: number;
  /** What clients call it; absent where it cannot be served. */
  datatype?: Datatype;
  integer?: true;
}

/** TensorProto.DataType by its number (onnx/onnx.proto). */
const ELEMENTS: readonly (Element | undefined)[] = [
  undefined,
  { name: 'float', bits: 32, datatype: 'FP32' },
  { name: 'uint8', bits: 8, datatype: 'UINT8', integer: true },
  { name: 'int8', bits: 8, datatype: 'INT8', integer: true },
  { name: 'uint16', bits: 16, datatype: 'UINT16', integer: true },
  { name: 'int16', bits: 16, datatype: 'INT16', integer: true },
  { name: 'int32', bits: 32, datatype: 'INT32', integer: true },
  { name: 'int64', bits: 64, datatype: 'INT64', integer: true },
  { name: 'string', bits: 0, datatype: 'BYTES' },
  { name: 'bool', bits: 8, datatype: 'BOOL' },
  { name: 'float16', bits: 16, datatype: 'FP16' },
  { name: 'double', bits: 64, datatype: 'FP64' },
  { name: 'uint32', bits: 32, datatype: 'UINT32', integer: true },
  { name: 'uint64', bits: 64, datatype: 'UINT64', integer: true },
  { name: 'complex64', bits: 64 },
  { name: 'complex128', bits: 128 },
  { name: 'bfloat16', bits: 16 },
  { name: 'float8e4m3fn', bits: 8 },
  { name: 'float8e4m3fnuz', bits: 8 },
  { name: 'float8e5m2', bits: 8 },
  { name: 'float8e5m2fnuz', bits: 8 },
  { name: 'uint4', bits: 4, integer: true },
  { name: 'int4', bits: 4, integer: true },
  { name: 'float4e2m1', bits: 4 },
  { name: 'float8e8m0', bits: 8 },
  { name: 'uint2', bits: 2, integer: true },
  { name: 'int2', bits: 2, integer: true },
];

/** What a TensorProto.DataType is; undefined for numbers that are none. */
export function elementOf(code: number): Element | undefined {
  return ELEMENTS[code];
}

/** The number of an element type by the runtime's name; undefined for names that are none. */
export function elementCode(name: string): number | undefined {
  const code = ELEMENTS.findIndex((element) => element?.name === name);
  return code < 0 ? undefined : code;
}

/** More than any machine holds; products stop here, so that a thousand hostile dimensions cost nothing. */
const MANY = 1n << 100n;

/**
 * Bytes that a dense tensor of these dimensions takes; undefined where the element has no fixed size or is unknown.
 * Computed without wrapping: dimensions come from files that may lie. Negative ones count as none,
 * and beyond 2^100 the product stops.
 */
export function tensorBytes(code: number, dims: readonly bigint[]): bigint | undefined {
  const bits = elementOf(code)?.bits;
  if (!bits) return undefined;
  if (dims.some((dim) => dim <= 0n)) return 0n;
  let elements = 1n;
  for (const dim of dims) {
    elements *= dim;
    if (elements > MANY) return MANY;
  }
  return (elements * BigInt(bits) + 7n) / 8n;
}
