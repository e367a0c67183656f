import type { TensorSpec } from '../contract/signature.ts';
import { elementCount, holds, type Tensor } from '../contract/tensor.ts';

/**
 * How a tensor differs from what the spec takes, as the end of a sentence; undefined where it fits. A file of its own, because
 * hosts need it and not what describes signatures.
 */
export function misfitOf(spec: TensorSpec, tensor: Tensor): string | undefined {
  const { datatype, shape, data } = tensor;
  if (datatype !== spec.datatype) return `has datatype ${datatype}, expected ${spec.datatype}`;
  if (shape.length !== spec.shape.length) {
    return `has rank ${shape.length} (shape [${shape}]), expected rank ${spec.shape.length} (shape [${spec.shape}])`;
  }
  // Every request passes here, so this is a loop and no call for each dimension.
  let differs = false;
  for (let axis = 0; axis < shape.length; axis += 1) {
    const dim = shape[axis]!;
    if (!Number.isSafeInteger(dim) || dim < 0) {
      return `has shape [${shape}], expected whole numbers from 0 for [${spec.shape}]`;
    }
    const wanted = spec.shape[axis]!;
    differs ||= wanted >= 0 && wanted !== dim;
  }
  if (differs) return `has shape [${shape}], expected [${spec.shape}]`;
  if (!holds(datatype, data)) return `does not hold elements of ${datatype}`;
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
