import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import { newData, type Tensors } from '../contract/tensor.ts';

/** A value as the graph has it: a number is fixed, equal names are equal sizes, '' is free and nameless. */
export interface GraphValue {
  name: string;
  shape: readonly (number | string)[];
}

/** The inputs and outputs of a loaded graph that are tensors. */
export interface GraphShapes {
  inputs: readonly GraphValue[];
  outputs: readonly GraphValue[];
}

export interface EmptyOptions {
  signature: Signature;
  shapes: GraphShapes;
  /** Outputs whose first dimension was seen to follow the rows; absent where nobody looked. */
  rowOutputs?: readonly string[] | undefined;
}

/**
 * Answers for inputs with a zero-size axis, which must not reach the runtime: some of its operators crash on them, and others answer with
 * memory of another request. An answer is given only where it can be nothing but empty tensors of known shape: a named dimension of an output has the
 * size that the inputs give that name; a nameless first one follows the rows if no input has any.
 * @param inputs fit the signature
 * @returns undefined where no input has a zero-size axis
 * @throws KedgeError `request-invalid` where the shape of an output does not follow, or holds elements
 */
export function answerEmpty(inputs: Tensors, outputs: readonly string[], options: EmptyOptions): Tensors | undefined {
  const name = emptyInput(inputs);
  if (name === undefined) return undefined;
  const { shape } = inputs.get(name)!;
  const sizes = symbolSizes(inputs, options.shapes);
  const rowless = hasNoRows(inputs, options.signature);
  const answer: Tensors = new Map();
  for (const output of outputs) {
    const dims = outputShape(output, sizes, rowless, options);
    if (dims.includes('?')) {
      throw refusal(name, shape, `output '${output}' would be [${dims}], whose size does not follow from the inputs`);
    }
    if (!dims.includes(0)) {
      throw refusal(name, shape, `output '${output}' would be [${dims}] and not empty`);
    }
    const { datatype } = options.signature.outputs.find((spec) => spec.name === output)!;
    answer.set(output, { datatype, shape: dims as number[], data: newData(datatype, 0) });
  }
  return answer;
}

/** The first input with a zero-size axis. Every request passes here. */
function emptyInput(inputs: Tensors): string | undefined {
  for (const [name, { shape }] of inputs) if (shape.includes(0)) return name;
  return undefined;
}

function refusal(input: string, shape: readonly number[], because: string): KedgeError {
  return new KedgeError(
    'request-invalid',
    `Input '${input}' has shape [${shape}], but ${because}: send at least one element along each axis.`,
  );
}

/** The size of each named dimension. @throws KedgeError `request-invalid` where two inputs disagree and one is empty there */
function symbolSizes(inputs: Tensors, shapes: GraphShapes): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of shapes.inputs) {
    const given = inputs.get(name)?.shape ?? [];
    for (const [axis, size] of given.entries()) {
      const symbol = shape[axis];
      if (typeof symbol !== 'string' || symbol === '') continue;
      const known = sizes.get(symbol);
      if (known !== undefined && known !== size && (known === 0 || size === 0)) {
        throw new KedgeError(
          'request-invalid',
          `Dimension '${symbol}' is ${size} in input '${name}' and ${known} in another: expected the same.`,
        );
      }
      sizes.set(symbol, size);
    }
  }
  return sizes;
}

/** Whether each input that has rows (its first dimension is free) has none. */
function hasNoRows(inputs: Tensors, signature: Signature): boolean {
  const rows = signature.inputs
    .filter((spec) => spec.shape[0] === -1)
    .flatMap((spec) => inputs.get(spec.name)?.shape[0] ?? []);
  return rows.length > 0 && rows.every((count) => count === 0);
}

/** The shape of an output; '?' where it does not follow. */
function outputShape(
  name: string,
  sizes: ReadonlyMap<string, number>,
  rowless: boolean,
  { shapes, rowOutputs = [] }: EmptyOptions,
): (number | '?')[] {
  const { shape } = shapes.outputs.find((value) => value.name === name)!;
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : (sizes.get(dim) ?? '?')));
  if (!rowless || dims.length === 0) return dims;
  // What was seen of some outputs speaks against the others; where nothing was seen, a free first dimension means rows.
  const follows = rowOutputs.length > 0 ? rowOutputs.includes(name) : dims[0] === '?';
  return follows ? [0, ...dims.slice(1)] : dims;
}
