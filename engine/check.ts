import { KedgeError } from '../contract/errors.ts';
import { describeTensor, type Signature, type TensorSpec } from '../contract/signature.ts';
import { elementCount, newData, type Tensor, type Tensors } from '../contract/tensor.ts';

/** Sentences beyond this many are counted, not written out. */
const MAX_SENTENCES = 8;

/**
 * Holds inputs against the signature: names, datatypes, ranks, fixed dimensions, element counts, and that every string can
 * travel as UTF-8. Free dimensions may have any size, also where the graph gives two of them the same name: the runtime
 * broadcasts, and it refuses what it cannot broadcast.
 * @throws KedgeError `request-invalid` with a sentence for each input that does not fit
 */
export function checkInputs(signature: Signature, inputs: Tensors): void {
  const problems: string[] = [];
  for (const spec of signature.inputs) {
    const tensor = inputs.get(spec.name);
    const problem = tensor ? inputProblem(spec, tensor) : missingProblem(spec);
    if (problem) problems.push(`Input '${spec.name}' ${problem}.`);
  }
  const known = new Set(signature.inputs.map((spec) => spec.name));
  for (const name of inputs.keys()) {
    if (!known.has(name)) problems.push(`Input '${name}' is unknown: the model takes ${quoted([...known])}.`);
  }
  if (problems.length > 0) throw new KedgeError('request-invalid', joined(problems));
}

/**
 * The outputs to compute, without repeats, in the order wanted; all of the signature for none.
 * @throws KedgeError `request-invalid` for a name that the model does not have or that is no tensor
 */
export function checkOutputs(signature: Signature, wanted: readonly string[] | undefined): string[] {
  const names = signature.outputs.map((spec) => spec.name);
  if (!wanted || wanted.length === 0) return names;
  const problems = wanted.filter((name) => !names.includes(name)).map((name) => outputProblem(signature, name, names));
  if (problems.length > 0) throw new KedgeError('request-invalid', joined(problems));
  return [...new Set(wanted)];
}

/** Whether a tensor is one that the spec takes. */
export function fitsSpec(spec: TensorSpec, tensor: Tensor): boolean {
  return inputProblem(spec, tensor) === undefined;
}

function missingProblem(spec: TensorSpec): string | undefined {
  return spec.optional ? undefined : `is missing: expected ${describeTensor(spec)}`;
}

function inputProblem(spec: TensorSpec, tensor: Tensor): string | undefined {
  const { datatype, shape, data } = tensor;
  if (datatype !== spec.datatype) return `has datatype ${datatype}, expected ${spec.datatype}`;
  if (shape.length !== spec.shape.length) {
    return `has rank ${shape.length} (shape [${shape}]), expected rank ${spec.shape.length} (shape [${spec.shape}])`;
  }
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) {
    return `has shape [${shape}], expected whole numbers from 0 for [${spec.shape}]`;
  }
  if (spec.shape.some((dim, axis) => dim >= 0 && dim !== shape[axis])) {
    return `has shape [${shape}], expected [${spec.shape}]`;
  }
  if (data.constructor !== newData(datatype, 0).constructor) return `does not hold elements of ${datatype}`;
  const count = shape.includes(0) ? 0 : elementCount(shape);
  if (data.length !== count) return `has ${data.length} elements, expected ${count} for shape [${shape}]`;
  return Array.isArray(data) ? stringProblem(data) : undefined;
}

function stringProblem(data: readonly string[]): string | undefined {
  const index = data.findIndex((text) => typeof text !== 'string' || !text.isWellFormed());
  if (index < 0) return undefined;
  return typeof data[index] === 'string'
    ? `has half a surrogate pair in element ${index}, expected text that UTF-8 can write`
    : `has ${typeof data[index]} as element ${index}, expected a string`;
}

function outputProblem(signature: Signature, name: string, names: readonly string[]): string {
  const omitted = signature.omittedOutputs?.find((output) => output.name === name);
  return omitted
    ? `Output '${name}' is ${omitted.type}, which cannot be served: ask for ${quoted(names)}.`
    : `Output '${name}' is unknown: the model gives ${quoted(names)}.`;
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `'${name}'`).join(', ');
}

function joined(problems: readonly string[]): string {
  const rest = problems.length - MAX_SENTENCES;
  return problems.slice(0, MAX_SENTENCES).join(' ') + (rest > 0 ? ` And ${rest} more.` : '');
}
