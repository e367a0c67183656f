import type { Signature } from '../contract/signature.ts';
import type { Tensor, TensorData, Tensors } from '../contract/tensor.ts';

/** Inputs and outputs of a model of which rows of several requests may be answered in one run. */
export interface RowLayout {
  /** Inputs with rows. Requests that give others are not merged. */
  inputs: readonly string[];
  /** Whether a request can choose a dimension beyond the first, so that rows of two requests may not fit together. */
  otherFree: boolean;
}

/** How rows of the model lie, if every input that a request must give has them. */
export function rowLayoutOf(signature: Signature): RowLayout | undefined {
  const required = signature.inputs.filter(({ optional }) => !optional);
  if (required.length === 0 || required.some(({ shape }) => shape[0] !== -1)) return undefined;
  return {
    inputs: required.map(({ name }) => name),
    otherFree: required.some(({ shape }) => shape.indexOf(-1, 1) > 0),
  };
}

/** The number of rows that a request has, in every input the same; undefined where its rows cannot be merged with others. */
export function mergeableRows(inputs: Tensors, { inputs: names }: RowLayout): number | undefined {
  // Inputs were checked: they have a first dimension, and none that must be given is missing.
  if (inputs.size !== names.length) return undefined;
  const rows = inputs.get(names[0]!)?.shape[0];
  for (let index = 1; index < names.length; index += 1) {
    if (inputs.get(names[index]!)?.shape[0] !== rows) return undefined;
  }
  return rows;
}

/** Equal for requests whose rows fit together. */
export function trailingShapes(inputs: Tensors, { inputs: names }: RowLayout): string {
  return names.map((name) => inputs.get(name)!.shape.slice(1).join()).join(';');
}

/** About how many bytes the elements take. */
export function bytesOf(inputs: Tensors): number {
  let bytes = 0;
  for (const { data } of inputs.values()) {
    if (Array.isArray(data)) for (const text of data) bytes += 16 + text.length;
    else bytes += data.byteLength;
  }
  return bytes;
}

/** The rows of all requests, one request after the other. */
export function mergeRows(requests: readonly Tensors[], rows: number, { inputs: names }: RowLayout): Tensors {
  const merged: Tensors = new Map();
  for (const name of names) {
    const parts = requests.map((request) => request.get(name)!);
    const { datatype, shape } = parts[0]!;
    merged.set(name, { datatype, shape: [rows, ...shape.slice(1)], data: concat(parts) });
  }
  return merged;
}

function concat(parts: readonly Tensor[]): TensorData {
  const [first] = parts;
  if (Array.isArray(first!.data)) return (parts as readonly { data: string[] }[]).flatMap(({ data }) => data);
  const length = parts.reduce((total, { data }) => total + data.length, 0);
  const Elements = first!.data.constructor as new (length: number) => Float32Array;
  const merged = new Elements(length);
  let offset = 0;
  for (const { data } of parts) {
    merged.set(data as Float32Array, offset);
    offset += data.length;
  }
  return merged;
}

/** The opposite: outputs for each request, over the same memory. Undefined where an output has other than `rows` rows. */
export function splitRows(outputs: Tensors, counts: readonly number[], rows: number): Tensors[] | undefined {
  const split = counts.map((): Tensors => new Map());
  for (const [name, { datatype, shape, data }] of outputs) {
    if (shape[0] !== rows) return undefined;
    const rest = shape.slice(1);
    const size = data.length / rows;
    let offset = 0;
    for (let index = 0; index < counts.length; index += 1) {
      const count = counts[index]!;
      const end = offset + count * size;
      const part = Array.isArray(data) ? data.slice(offset, end) : (data as Float32Array).subarray(offset, end);
      split[index]!.set(name, { datatype, shape: [count, ...rest], data: part });
      offset = end;
    }
  }
  return split;
}
