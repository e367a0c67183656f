import { bytesPerElement, newData, type Tensor, type TensorData } from '../../contract/tensor.ts';
import { readByteStrings, type TextMarks, writeByteStrings } from './byte-strings.ts';
import { tensorHead } from './json-tensor.ts';
import { invalid } from './parse.ts';

/**
 * A tensor from its bytes as the binary extension has them: little-endian, row-major. Numbers lie over the body itself where they are
 * aligned in it; nothing is copied then.
 * @param where names the tensor in errors: `Input 'x'`
 * @throws KedgeError `request-invalid`
 */
export function tensorFromBinary(
  where: string,
  datatype: unknown,
  shape: unknown,
  blob: Buffer,
  marks: TextMarks,
): Tensor {
  const head = tensorHead(where, datatype, shape);
  const { count } = head;
  const size = bytesPerElement(head.datatype);
  if (size === undefined) {
    return { datatype: head.datatype, shape: head.dims, data: readByteStrings(where, blob, count, marks) };
  }
  if (blob.length !== count * size) {
    throw invalid(
      `${where}: shape [${head.dims.join(',')}] of ${head.datatype} takes ${count * size} bytes, its binary data has ${blob.length}.`,
    );
  }
  return { datatype: head.datatype, shape: head.dims, data: view(blob, newData(head.datatype, 0), count, size) };
}

function view(blob: Buffer, empty: TensorData, count: number, size: number): TensorData {
  const View = empty.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => TensorData;
  if (blob.byteOffset % size === 0) return new View(blob.buffer, blob.byteOffset, count);
  const copy = new Uint8Array(blob.length);
  copy.set(blob);
  return new View(copy.buffer, 0, count);
}

/** The opposite of {@link tensorFromBinary}, over the tensor's own memory where it holds numbers. */
export function binaryData({ data }: Tensor, standIns: boolean): Uint8Array {
  if (Array.isArray(data)) return writeByteStrings(data, standIns);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
