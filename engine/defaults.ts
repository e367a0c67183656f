import { elementOf } from '../contract/onnx/elements.ts';
import { Writer } from '../contract/onnx/writer.ts';
import type { Signature, TensorSpec } from '../contract/signature.ts';
import { elementCount, newData, type Tensor, type TensorData, type Tensors } from '../contract/tensor.ts';
import { type Field, fieldsOf, textOf, varintsOf } from './protobuf.ts';
import { misfitOf } from './tensor-fit.ts';

/**
 * A graph may name an initializer as an input too: a default that a request may replace. The runtime's binding ignores the
 * request's value, silently. So such defaults are taken out of the graph, which makes the inputs ordinary ones, and
 * the engine gives the default with each run that leaves the input out. The runtime never treats such an initializer as a constant, so
 * nothing is lost by it.
 *
 * Some exporters list every weight as an input. Giving hundreds of weights with each run would cost more than it is worth, so then, and
 * where a default is large, it stays in the graph, fixed.
 */
export const MAX_DEFAULTS = 64;
const MAX_DEFAULT_BYTES = 65_536;

/** Field numbers: onnx/onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = {
  dims: 1,
  dataType: 2,
  int32: 5,
  string: 6,
  int64: 7,
  name: 8,
  raw: 9,
  uint64: 11,
  location: 14,
} as const;
const TENSOR_FLOATS: readonly number[] = [4, 10];

export interface Defaults {
  /** The model without the initializers in `values`. */
  model: Uint8Array;
  values: Tensors;
  /** Optional inputs whose default stays in the graph. */
  fixed: Set<string>;
}

/**
 * Takes the defaults of the signature's optional inputs out of a model.
 * @throws RangeError where the bytes are no model
 */
export function takeDefaults(model: Uint8Array, signature: Signature): Defaults {
  const optional = new Map(signature.inputs.filter((spec) => spec.optional).map((spec) => [spec.name, spec]));
  const values: Tensors = new Map();
  const parts: Uint8Array[] = [];
  if (optional.size <= MAX_DEFAULTS) {
    for (const field of fieldsOf(model)) {
      if (field.number === MODEL_GRAPH) parts.push(...graphField(field, optional, values));
      else parts.push(field.whole);
    }
  }
  const fixed = new Set([...optional.keys()].filter((name) => !values.has(name)));
  return { model: values.size > 0 ? Buffer.concat(parts) : model, values, fixed };
}

function graphField(graph: Field, optional: ReadonlyMap<string, TensorSpec>, values: Tensors): Uint8Array[] {
  const kept: Uint8Array[] = [];
  for (const field of fieldsOf(graph.payload)) {
    const [name, tensor] = field.number === GRAPH_INITIALIZER ? readDefault(field, optional) : [];
    if (tensor) values.set(name!, tensor);
    else kept.push(field.whole);
  }
  const length = kept.reduce((sum, part) => sum + part.length, 0);
  return [
    new Writer()
      .varint(MODEL_GRAPH * 8 + 2)
      .varint(length)
      .done(),
    ...kept,
  ];
}

function readDefault(field: Field, optional: ReadonlyMap<string, TensorSpec>): [string, Tensor] | [] {
  const fields = [...fieldsOf(field.payload)];
  const nameField = fields.find(({ number }) => number === TENSOR.name);
  const name = nameField ? textOf(nameField) : '';
  const spec = optional.get(name);
  const tensor = spec && field.payload.length <= MAX_DEFAULT_BYTES ? decodeTensor(fields) : undefined;
  return tensor && misfitOf(spec!, tensor) === undefined ? [name, tensor] : [];
}

/** A TensorProto that holds its own data; undefined for external data and for elements that cannot be served. */
function decodeTensor(fields: readonly Field[]): Tensor | undefined {
  const of = (...numbers: number[]): Field[] => fields.filter(({ number }) => numbers.includes(number));
  const datatype = elementOf(Number(of(TENSOR.dataType)[0]?.varint ?? 0n))?.datatype;
  const external = of(TENSOR.location).some(({ varint }) => varint !== 0n);
  if (!datatype || external) return undefined;
  const shape = of(TENSOR.dims).flatMap(varintsOf).map(Number);
  if (elementCount(shape) > MAX_DEFAULT_BYTES) return undefined;
  const data = newData(datatype, elementCount(shape));
  if (Array.isArray(data)) return { datatype, shape, data: of(TENSOR.string).map(textOf) };
  const raw = Buffer.concat(of(TENSOR.raw, ...TENSOR_FLOATS).map(({ payload }) => payload));
  if (raw.length > 0) new Uint8Array(data.buffer).set(raw.subarray(0, data.byteLength));
  else setIntegers(data, of(TENSOR.int32, TENSOR.int64, TENSOR.uint64).flatMap(varintsOf));
  return { datatype, shape, data };
}

/** Typed integer fields; half floats stand there as their 16 bits. */
function setIntegers(data: Exclude<TensorData, string[]>, values: readonly bigint[]): void {
  const target = data instanceof Float16Array ? new Uint16Array(data.buffer) : data;
  const big = target instanceof BigInt64Array || target instanceof BigUint64Array;
  values.slice(0, target.length).forEach((value, index) => {
    target[index] = big ? value : Number(BigInt.asIntN(32, value));
  });
}
