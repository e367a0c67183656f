import type { Signature, TensorSpec } from '../../contract/signature.ts';
import { bytesPerElement, elementCount, type Tensors } from '../../contract/tensor.ts';
import { tensorFromBinary } from './binary-tensor.ts';
import type { TextMarks } from './byte-strings.ts';
import { invalid } from './parse.ts';

/**
 * The only input of a model from a body that is nothing but its bytes (`Inference-Header-Content-Length: 0`). One free dimension
 * follows from the length. An input of strings is one string, the body as it is, without a length before it.
 * @throws KedgeError `request-invalid` where the model does not allow it
 */
export function rawInput(body: Buffer, { inputs }: Signature, marks: TextMarks): Tensors {
  const required = inputs.filter(({ optional }) => !optional);
  const input = required.length === 1 ? required[0] : inputs.length === 1 ? inputs[0] : undefined;
  if (!input) {
    throw invalid(
      `A raw binary request is one input, and the model has ${inputs.length}: send JSON that says which is which.`,
    );
  }
  const where = `Input '${input.name}'`;
  const size = bytesPerElement(input.datatype);
  if (size === undefined) {
    const shape = input.shape.map((dim) => (dim === -1 ? 1 : dim));
    if (elementCount(shape) !== 1) throw invalid(`${where}: a raw binary request is one string, not [${input.shape}].`);
    return new Map([[input.name, { datatype: input.datatype, shape, data: [marks.textOf(body)] }]]);
  }
  const shape = rawShape(where, input, body.length / size);
  return new Map([[input.name, tensorFromBinary(where, input.datatype, shape, body, marks)]]);
}

function rawShape(where: string, { shape }: TensorSpec, elements: number): number[] {
  const free = shape.filter((dim) => dim === -1).length;
  if (free > 1) {
    throw invalid(
      `${where} has the shape [${shape}]: with more than one free dimension, send JSON that gives the shape.`,
    );
  }
  const known = elementCount(shape.map((dim) => (dim === -1 ? 1 : dim)));
  const rest = known === 0 ? 0 : elements / known;
  if (free === 1 && !Number.isInteger(rest)) {
    throw invalid(`${where}: the body is no whole number of rows of the shape [${shape}].`);
  }
  return shape.map((dim) => (dim === -1 ? rest : dim));
}
