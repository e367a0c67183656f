import { Tensor } from 'onnxruntime-node';
import type { ElementName } from '../encode.ts';

const EXTREMES: Record<string, readonly (number | bigint | boolean | string)[]> = {
  float: [Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 1e-45, -0, 0, 1, -1, 0.5],
  double: [Number.NaN, Infinity, -Infinity, 1.7e308, -1.7e308, 5e-324, -0, 0, 1, -1, 0.5],
  // As bits: NaN, infinities, the largest, the smallest, zeros, one.
  float16: [0x7e00, 0x7c00, 0xfc00, 0x7bff, 0xfbff, 1, 0x8000, 0, 0x3c00],
  int8: [-128, 127, -1, 0, 1, 2],
  uint8: [0, 255, 1, 2, 3],
  int16: [-32768, 32767, -1, 0, 1],
  int32: [-2147483648, 2147483647, -1, 0, 1, 2],
  int64: [-9223372036854775808n, 9223372036854775807n, -1n, 0n, 1n, 2n],
  uint64: [18446744073709551615n, 0n, 1n, 2n],
  bool: [true, false],
  string: ['', 'a', 'b', 'ü', ' '],
};

const ARRAYS = {
  float: Float32Array,
  double: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;
const NAMES: Record<string, string> = { float: 'float32', double: 'float64', float16: 'uint16' };

/** A tensor of ones, or of the letter a. */
export function tameTensor(type: ElementName, dims: readonly number[]): Tensor {
  const count = dims.reduce((total, dim) => total * dim, 1);
  return tensorOf(type, new Array(count).fill(type === 'string' ? 'a' : type === 'float16' ? 0x3c00 : 1), dims);
}

/** A tensor of extremes in turn; of a second input each as long as the first goes round, so that every pairing occurs. */
export function hostileTensor(type: ElementName, dims: readonly number[], position: number): Tensor {
  const values = EXTREMES[type]!;
  const count = dims.reduce((total, dim) => total * dim, 1);
  const at = (index: number): number => Math.floor(index / values.length ** position) % values.length;
  const data = Array.from({ length: count }, (_, index) => values[at(index)]!);
  return tensorOf(type, data, dims);
}

function tensorOf(
  type: ElementName,
  data: readonly (number | bigint | boolean | string)[],
  dims: readonly number[],
): Tensor {
  if (type === 'string') return new Tensor('string', data as string[], dims);
  const array = (
    ARRAYS[type as keyof typeof ARRAYS] as {
      from(data: Iterable<unknown>, map: (value: never) => unknown): Float32Array;
    }
  ).from(data, type.endsWith('64') ? BigInt : Number);
  const tensor = new Tensor((NAMES[type] ?? type) as 'float32', array, dims);
  // The binding of 1.30.0 does not know Float16Array; the bits are the same.
  return type === 'float16' ? Object.assign(tensor, { type }) : tensor;
}
