import { elementCode } from './elements.ts';
import type { ElementName, EncodeSparse, EncodeTensor } from './encode.ts';
import { Writer } from './writer.ts';

type Element = number | bigint | boolean | string;
type TypedArray = Exclude<NodeJS.TypedArray, Uint8ClampedArray>;

/** The array whose memory is raw_data of that element type. bfloat16 is given as its 16 bits. */
const ARRAYS: Record<Exclude<ElementName, 'string'>, (data: readonly Element[]) => TypedArray> = {
  float: (data) => Float32Array.from(data, Number),
  double: (data) => Float64Array.from(data, Number),
  float16: (data) => Float16Array.from(data, Number),
  bfloat16: (data) => Uint16Array.from(data, Number),
  bool: (data) => Uint8Array.from(data, Number),
  uint8: (data) => Uint8Array.from(data, Number),
  int8: (data) => Int8Array.from(data, Number),
  uint16: (data) => Uint16Array.from(data, Number),
  int16: (data) => Int16Array.from(data, Number),
  uint32: (data) => Uint32Array.from(data, Number),
  int32: (data) => Int32Array.from(data, Number),
  uint64: (data) => BigUint64Array.from(data, BigInt),
  int64: (data) => BigInt64Array.from(data, BigInt),
};

/** The number of an element type. @throws Error for a name that ONNX does not have */
export function codeOf(name: string): number {
  const code = elementCode(name);
  if (code === undefined) throw new Error(`ONNX has no elements of type ${name}`);
  return code;
}

/** A TensorProto. */
export function writeTensor(writer: Writer, tensor: EncodeTensor): Writer {
  for (const dim of tensor.dims) writer.int(1, dim);
  writer.int(2, codeOf(tensor.type));
  if (tensor.name !== undefined) writer.text(8, tensor.name);
  if (tensor.raw) writer.bytes(9, tensor.raw);
  if (tensor.data) writeData(writer, tensor, tensor.data);
  if (tensor.external) writeExternal(writer, tensor.external);
  return writer;
}

/** A SparseTensorProto. */
export function writeSparse(writer: Writer, { values, indices, dims }: EncodeSparse): Writer {
  writer.message(1, (inner) => writeTensor(inner, values)).message(2, (inner) => writeTensor(inner, indices));
  for (const dim of dims) writer.int(3, dim);
  return writer;
}

function writeExternal(writer: Writer, external: NonNullable<EncodeTensor['external']>): void {
  for (const [key, value] of Object.entries(external)) {
    writer.message(13, (inner) => inner.text(1, key).text(2, String(value)));
  }
  writer.int(14, 1);
}

function writeData(writer: Writer, { type, typed }: EncodeTensor, data: readonly Element[]): void {
  if (type === 'string') {
    for (const text of data) writer.text(6, String(text));
    return;
  }
  const array = ARRAYS[type](data);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (!typed) writer.bytes(9, bytes);
  else if (type === 'float') writer.bytes(4, bytes);
  else if (type === 'double') writer.bytes(10, bytes);
  else writer.bytes(typedField(type), packed(type === 'float16' ? new Uint16Array(array.buffer) : array));
}

/** int64_data, uint64_data, and int32_data for everything smaller. */
function typedField(type: ElementName): number {
  if (type === 'int64') return 7;
  return type === 'uint64' || type === 'uint32' ? 11 : 5;
}

function packed(array: TypedArray): Uint8Array {
  const writer = new Writer();
  for (const value of array) writer.varint(value);
  return writer.done();
}
