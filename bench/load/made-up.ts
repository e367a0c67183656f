import { stringifyJson } from '../../contract/json.ts';
import { DATATYPES, type Datatype, type TensorSpec } from '../../contract/signature.ts';
import { elementCount, newData, type TensorData } from '../../contract/tensor.ts';
import type { Random } from '../../platform/random.ts';
import { binaryData } from '../../server/api/binary-tensor.ts';
import { LENGTH_HEADER } from '../../server/api/request-body.ts';
import type { LoadRequest } from './load-options.ts';

export type LoadBody = Pick<LoadRequest, 'body' | 'headers'>;

/** Inputs as `GET /v2/models/MODEL` tells them. */
export type InputSpec = Pick<TensorSpec, 'name' | 'shape' | 'optional'> & { datatype: string };

export interface BodyForm {
  /** What a free first dimension becomes; any other becomes 1. */
  rows: number;
  /** Inputs and outputs in binary, as the extension of the Open Inference Protocol has it. */
  binary: boolean;
}

/**
 * A request of the Open Inference Protocol with drawn values that most models can take: floats from 0 to 1, whole numbers 0 and 1, which are an index of most tables, and letters as
 * strings. Inputs that may be left out are.
 * @throws Error where a datatype is none that is known
 */
export function makeUpBody(inputs: readonly InputSpec[], { rows, binary }: BodyForm, random: Random): LoadBody {
  const blobs: Uint8Array[] = [];
  const tensors = inputs
    .filter(({ optional }) => !optional)
    .map(({ name, datatype, shape: spec }) => {
      if (!isDatatype(datatype)) throw new Error(`input '${name}' is ${datatype}, which no value is known for`);
      const shape = spec.map((dim, index) => (dim >= 0 ? dim : index === 0 ? rows : 1));
      const data = drawn(datatype, elementCount(shape), random);
      if (!binary) return { name, datatype, shape, data: plain(datatype, data) };
      const blob = binaryData({ datatype, shape, data }, false);
      blobs.push(blob);
      return { name, datatype, shape, parameters: { binary_data_size: blob.length } };
    });
  if (!binary) return { body: stringifyJson({ inputs: tensors }) };
  const head = Buffer.from(stringifyJson({ inputs: tensors, parameters: { binary_data_output: true } }));
  return {
    body: Buffer.concat([head, ...blobs]),
    headers: { 'content-type': 'application/octet-stream', [LENGTH_HEADER]: String(head.length) },
  };
}

function isDatatype(text: string): text is Datatype {
  return (DATATYPES as readonly string[]).includes(text);
}

function drawn(datatype: Datatype, count: number, random: Random): TensorData {
  const data = newData(datatype, count) as (number | bigint | string)[];
  for (let at = 0; at < count; at += 1) {
    if (datatype === 'BYTES') data[at] = random.pick(['a', 'b', 'c']);
    else if (datatype.startsWith('FP')) data[at] = random.below(1_000) / 1_000;
    else data[at] = typeof data[at] === 'bigint' ? BigInt(random.below(2)) : random.below(2);
  }
  return data as TensorData;
}

/** As JSON has the elements: of 32 bits and fewer, no more digits than were drawn. */
function plain(datatype: Datatype, data: TensorData): unknown[] {
  const elements: unknown[] = Array.from(data as ArrayLike<unknown>);
  if (datatype === 'BOOL') return elements.map((element) => element === 1);
  if (!datatype.startsWith('FP')) return elements;
  return (elements as number[]).map((element) => Math.round(element * 1_000) / 1_000);
}
