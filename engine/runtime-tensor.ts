import type { Tensor as RuntimeTensor } from 'onnxruntime-node';
import type { Datatype } from '../contract/signature.ts';
import type { Tensor, TensorData } from '../contract/tensor.ts';
import type { Runtime } from './runtime.ts';
import { hideNul, showNul } from './strings.ts';

const TYPES: Record<Datatype, RuntimeTensor.Type> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

const DATATYPES = new Map(Object.entries(TYPES).map(([datatype, type]) => [type as string, datatype as Datatype]));

/** What clients call an element type of the runtime; undefined for those that cannot be served. */
export function datatypeOf(type: string): Datatype | undefined {
  return DATATYPES.get(type);
}

/**
 * A tensor as the runtime takes it, over the same memory where it can. `mark` stands for NUL in strings.
 * The binding does not know Float16Array, so half floats go in as their 16 bits under the name of the type; and it computes
 * wrongly with BOOL bytes other than 0 and 1, so these are made 1.
 */
export function toRuntime(runtime: Runtime, { datatype, shape, data }: Tensor, mark?: string): RuntimeTensor {
  if (data instanceof Float16Array) {
    const bits = new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
    return Object.assign(new runtime.Tensor('uint16', bits, [...shape]), { type: TYPES.FP16 });
  }
  return new runtime.Tensor(TYPES[datatype] as 'float32', elements(datatype, data, mark) as Float32Array, [...shape]);
}

function elements(datatype: Datatype, data: TensorData, mark: string | undefined): TensorData {
  if (Array.isArray(data)) return mark === undefined ? data : hideNul(data, mark);
  if (datatype === 'BOOL' && (data as Uint8Array).some((byte) => byte > 1)) {
    return (data as Uint8Array).map((byte) => (byte === 0 ? 0 : 1));
  }
  return data;
}

/** The opposite of {@link toRuntime}. @throws TypeError for an element type that cannot be served */
export function fromRuntime({ type, dims, data }: RuntimeTensor, mark?: string): Tensor {
  const datatype = datatypeOf(type);
  if (!datatype) throw new TypeError(`The runtime answered elements of type ${type}.`);
  return { datatype, shape: dims, data: Array.isArray(data) && mark ? showNul(data, mark) : (data as TensorData) };
}
