import { KedgeError } from '../contract/errors.ts';
import { describeTensor, type Signature, type TensorSpec } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import { misfitOf } from './tensor-fit.ts';

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
  let found = 0;
  for (const spec of signature.inputs) {
    const tensor = inputs.get(spec.name);
    if (tensor) found += 1;
    const problem = tensor ? misfitOf(spec, tensor) : missingProblem(spec);
    if (problem) problems.push(`Input '${spec.name}' ${problem}.`);
  }
  if (problems.length === 0 && found === inputs.size) return;
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

function missingProblem(spec: TensorSpec): string | undefined {
  return spec.optional ? undefined : `is missing: expected ${describeTensor(spec)}`;
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
