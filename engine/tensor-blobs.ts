import type { Datatype } from '../contract/signature.ts';
import { newData, type Tensor, type TensorData, type Tensors } from '../contract/tensor.ts';

/** A tensor without its elements, which travel as a blob. */
export interface TensorHead {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
}

export interface PackedTensors {
  heads: TensorHead[];
  /** One for each head: elements little-endian, row-major; of strings, each with its length in bytes as u32 before it. */
  blobs: Uint8Array[];
}

/** Numbers are not copied: the blobs lie over the tensors' memory. */
export function packTensors(tensors: Tensors): PackedTensors {
  const heads: TensorHead[] = [];
  const blobs: Uint8Array[] = [];
  for (const [name, { datatype, shape, data }] of tensors) {
    heads.push({ name, datatype, shape });
    blobs.push(Array.isArray(data) ? packStrings(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return { heads, blobs };
}

/** The opposite of {@link packTensors}. The tensors lie over the blobs' memory, which must be aligned to 8. */
export function unpackTensors({ heads, blobs }: PackedTensors): Tensors {
  return new Map(
    heads.map(({ name, datatype, shape }, index): [string, Tensor] => [
      name,
      { datatype, shape, data: unpackData(datatype, blobs[index]!) },
    ]),
  );
}

function unpackData(datatype: Datatype, blob: Uint8Array): TensorData {
  const empty = newData(datatype, 0);
  if (Array.isArray(empty)) return unpackStrings(blob);
  const View = empty.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => TensorData;
  return new View(blob.buffer, blob.byteOffset, blob.byteLength / empty.BYTES_PER_ELEMENT);
}

function packStrings(strings: readonly string[]): Uint8Array {
  const sizes = strings.map((text) => Buffer.byteLength(text));
  const blob = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size + 4, 0));
  let offset = 0;
  strings.forEach((text, index) => {
    offset = blob.writeUInt32LE(sizes[index]!, offset);
    offset += blob.write(text, offset);
  });
  return blob;
}

function unpackStrings(blob: Uint8Array): string[] {
  const buffer = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const strings: string[] = [];
  for (let offset = 0; offset < buffer.length; ) {
    const start = offset + 4;
    const end = start + buffer.readUInt32LE(offset);
    strings.push(buffer.toString('utf8', start, end));
    offset = end;
  }
  return strings;
}
