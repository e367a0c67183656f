import type { Signature } from '../../contract/signature.ts';
import type { Tensor, Tensors } from '../../contract/tensor.ts';
import { tensorFromBinary } from './binary-tensor.ts';
import { TextMarks } from './byte-strings.ts';
import { show } from './errors.ts';
import { tensorFromJson } from './json-tensor.ts';
import { checkParameters, type Parameters, readFlag, readParameters, readWhole } from './parameters.ts';
import { invalid, isObject, type JsonObject, parseObject } from './parse.ts';
import { rawInput } from './raw-request.ts';
import { BlobReader, splitBody } from './request-body.ts';

/** An output that was asked for, and how. */
interface OutputWish {
  name: string;
  binary: boolean;
  /** How many of the highest values are wanted with their indices, in the place of the tensor; 0 for the tensor itself. */
  classification: number;
}

export interface InferRequest {
  id: string | undefined;
  inputs: Tensors;
  /** The outputs wanted, in the order wanted; all if undefined. */
  outputs: readonly OutputWish[] | undefined;
  /** How outputs go out that were not listed. */
  binaryOutputs: boolean;
  /** Some strings hold bytes that are no UTF-8, with stand-ins for them. */
  standIns: boolean;
  /** Of the request; `timeout` and `priority` are the gate's to read. */
  parameters: Parameters;
}

/**
 * An inference request of the Open Inference Protocol: JSON, binary tensors behind it, or both. Unknown keys and parameters are
 * ignored; null stands for absent. Whether the tensors fit the model is the engine's to say.
 * @param length value of the header Inference-Header-Content-Length; '0' for a body that is nothing but the only input
 * @throws KedgeError `request-invalid`, `body-too-large` for more JSON than the limit
 */
export function parseInferRequest(
  body: Buffer,
  length: string | undefined,
  signature: Signature,
  maxJsonBytes?: number,
): InferRequest {
  const { json, tensors } = splitBody(body, length);
  const marks = new TextMarks();
  if (tensors !== undefined && json.length === 0) {
    const inputs = rawInput(tensors, signature, marks);
    marks.check();
    return { ...RAW, inputs, standIns: marks.standIns };
  }
  const request = parseObject(json, maxJsonBytes);
  const parameters = checkParameters(request['parameters']);
  const binaryOutputs = readFlag(parameters, 'binary_data_output');
  const blobs = new BlobReader(tensors);
  const inputs = parseInputs(request['inputs'], blobs, marks);
  blobs.end();
  marks.check();
  return {
    id: parseId(request['id']),
    inputs,
    outputs: parseOutputs(request['outputs']),
    binaryOutputs,
    standIns: marks.standIns,
    parameters,
  };
}

const RAW = { id: undefined, outputs: undefined, binaryOutputs: true, parameters: {} };

function parseId(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string') throw invalid(`id must be a string, not ${show(id)}.`);
  return id;
}

function parseInputs(inputs: unknown, blobs: BlobReader, marks: TextMarks): Tensors {
  if (!Array.isArray(inputs)) throw invalid('inputs must be an array of tensors.');
  const tensors: Tensors = new Map();
  for (const [index, input] of inputs.entries()) {
    if (!isObject(input)) throw invalid(`inputs[${index}] must be an object with name, shape, datatype and data.`);
    const name = nameOf(input, `inputs[${index}]`);
    const where = `Input '${name}'`;
    if (tensors.has(name)) throw invalid(`${where} is given twice.`);
    tensors.set(name, parseInput(where, input, blobs, marks));
  }
  return tensors;
}

function parseInput(where: string, input: JsonObject, blobs: BlobReader, marks: TextMarks): Tensor {
  const { data, datatype, shape, parameters } = input;
  const size = binarySize(where, readParameters(parameters, where));
  if (size === undefined) {
    if (data === undefined || data === null) throw invalid(`${where} has no data.`);
    return marks.see(tensorFromJson(where, datatype, shape, data));
  }
  if (data !== undefined && data !== null) {
    throw invalid(`${where} has both data and binary_data_size: send one of them.`);
  }
  return tensorFromBinary(where, datatype, shape, blobs.take(where, size), marks);
}

function binarySize(where: string, parameters: Parameters): number | undefined {
  refuseSharedMemory(where, parameters);
  return readWhole(parameters, 'binary_data_size', 0, where);
}

function refuseSharedMemory(where: string, parameters: Parameters): void {
  const region = parameters['shared_memory_region'];
  if (region !== undefined && region !== null) {
    throw invalid(`${where}: shared memory is not supported; send the data, as JSON or binary.`);
  }
}

function parseOutputs(outputs: unknown): OutputWish[] | undefined {
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs)) throw invalid('outputs must be an array of objects with a name.');
  const wishes: OutputWish[] = [];
  for (const [index, output] of outputs.entries()) {
    if (!isObject(output)) throw invalid(`outputs[${index}] must be an object with a name.`);
    const name = nameOf(output, `outputs[${index}]`);
    if (wishes.some((wish) => wish.name === name)) throw invalid(`Output '${name}' is asked for twice.`);
    wishes.push(parseWish(name, output['parameters']));
  }
  // An empty list asks for nothing in particular.
  return wishes.length === 0 ? undefined : wishes;
}

function parseWish(name: string, given: unknown): OutputWish {
  const where = `Output '${name}'`;
  const parameters = readParameters(given, where);
  refuseSharedMemory(where, parameters);
  return {
    name,
    // A listed output without the flag is JSON, whatever the request says of all outputs: so do Triton and KServe.
    binary: readFlag(parameters, 'binary_data', where),
    classification: readWhole(parameters, 'classification', 1, where) ?? 0,
  };
}

function nameOf(part: JsonObject, where: string): string {
  const name = part['name'];
  if (typeof name !== 'string' || name === '') throw invalid(`${where}.name must be a string.`);
  return name;
}
