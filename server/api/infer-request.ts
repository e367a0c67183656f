import type { Tensors } from '../../contract/tensor.ts';
import { show } from './errors.ts';
import { tensorFromJson } from './json-tensor.ts';
import { invalid, isObject, type JsonObject, parseObject } from './parse.ts';

export interface InferRequest {
  id: string | undefined;
  inputs: Tensors;
  /** Names of the outputs wanted, in the order wanted; all if undefined. */
  outputs: string[] | undefined;
}

/**
 * An inference request of the Open Inference Protocol in JSON. Unknown keys and parameters are ignored; null stands for absent.
 * Whether the tensors fit the model is the engine's to say.
 * @throws KedgeError `request-invalid`
 */
export function parseInferRequest(body: Buffer): InferRequest {
  const request = parseObject(body);
  checkParameters(request['parameters']);
  return {
    id: parseId(request['id']),
    inputs: parseInputs(request['inputs']),
    outputs: parseOutputs(request['outputs']),
  };
}

/** Unknown ones are ignored; those that Triton keeps for itself are refused, as Triton does. */
function checkParameters(parameters: unknown): void {
  const reserved = isObject(parameters) && Object.keys(parameters).find((name) => name.startsWith('triton_'));
  if (reserved) throw invalid(`The parameter '${reserved}' is reserved.`);
}

function parseId(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string') throw invalid(`id must be a string, not ${show(id)}.`);
  return id;
}

function parseInputs(inputs: unknown): Tensors {
  if (!Array.isArray(inputs)) throw invalid('inputs must be an array of tensors.');
  const tensors: Tensors = new Map();
  for (const [index, input] of inputs.entries()) {
    if (!isObject(input)) throw invalid(`inputs[${index}] must be an object with name, shape, datatype and data.`);
    const name = nameOf(input, `inputs[${index}]`);
    const where = `Input '${name}'`;
    if (tensors.has(name)) throw invalid(`${where} is given twice.`);
    if (input['data'] === undefined) throw invalid(withoutData(where, input['parameters']));
    tensors.set(name, tensorFromJson(where, input['datatype'], input['shape'], input['data']));
  }
  return tensors;
}

function withoutData(where: string, parameters: unknown): string {
  const has = (key: string): boolean => isObject(parameters) && parameters[key] !== undefined;
  if (has('shared_memory_region')) return `${where}: shared memory is not supported; send data.`;
  if (has('binary_data_size')) return `${where}: binary tensors are not supported; send data as JSON.`;
  return `${where} has no data.`;
}

function parseOutputs(outputs: unknown): string[] | undefined {
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs)) throw invalid('outputs must be an array of objects with a name.');
  const names: string[] = [];
  for (const [index, output] of outputs.entries()) {
    if (!isObject(output)) throw invalid(`outputs[${index}] must be an object with a name.`);
    const name = nameOf(output, `outputs[${index}]`);
    if (names.includes(name)) throw invalid(`Output '${name}' is asked for twice.`);
    names.push(name);
  }
  // An empty list asks for nothing in particular.
  return names.length === 0 ? undefined : names;
}

function nameOf(part: JsonObject, where: string): string {
  const name = part['name'];
  if (typeof name !== 'string' || name === '') throw invalid(`${where}.name must be a string.`);
  return name;
}
