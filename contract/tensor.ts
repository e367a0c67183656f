import type { Datatype } from './signature.ts';

/** The array that holds the elements of each datatype, row-major. BOOL holds 0 and 1; BYTES holds strings. */
interface ElementArrays {
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  FP16: Float16Array;
  FP32: Float32Array;
  FP64: Float64Array;
  BYTES: string[];
}

export type TensorData = ElementArrays[Datatype];

export interface Tensor {
  datatype: Datatype;
  /** Every dimension is known and >= 0; an empty shape is a scalar with one element. */
  shape: readonly number[];
  data: TensorData;
}

/** Tensors by name. A Map, because a name such as `__proto__` is lost in a plain object. */
export type Tensors = Map<string, Tensor>;

const ARRAYS: { [D in Exclude<Datatype, 'BYTES'>]: new (length: number) => ElementArrays[D] } = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** A new array of `count` elements: zeros, or empty strings. */
export function newData(datatype: Datatype, count: number): TensorData {
  return datatype === 'BYTES' ? new Array<string>(count).fill('') : new ARRAYS[datatype](count);
}

/** Whether `data` is the kind of array that holds elements of the datatype. */
export function holds(datatype: Datatype, data: TensorData): boolean {
  return datatype === 'BYTES' ? Array.isArray(data) : data.constructor === ARRAYS[datatype];
}

/** Bytes of one element as it travels in binary; undefined for BYTES, whose elements have no fixed size. */
export function bytesPerElement(datatype: Datatype): number | undefined {
  const data = newData(datatype, 0);
  return Array.isArray(data) ? undefined : data.BYTES_PER_ELEMENT;
}

/** The number of elements of a shape. Shapes are checked before, so the product is exact. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
