import { DATATYPES, type Datatype } from '../../contract/signature.ts';
import type { Tensor } from '../../contract/tensor.ts';
import { Elements } from './elements.ts';
import { show } from './errors.ts';
import { invalid } from './parse.ts';

/** Far above what models have, and low enough that nested data cannot exhaust the stack. */
const MAX_RANK = 32;
const MAX_DIM = 2 ** 31 - 1;
const MAX_ELEMENTS = 2 ** 31 - 1;

/**
 * A tensor from its JSON parts: `data` flat and row-major, or nested as `shape` says.
 * @param where names the tensor in errors: `Input 'x'`
 * @throws KedgeError `request-invalid`
 */
export function tensorFromJson(where: string, datatype: unknown, shape: unknown, data: unknown): Tensor {
  const { datatype: type, dims, count } = tensorHead(where, datatype, shape);
  if (!Array.isArray(data)) throw invalid(`${where}: data must be an array, flat or nested.`);
  if (data.length > 0 && Array.isArray(data[0]) && dims.length > 1) {
    checkNested(where, dims, data, 0);
    const elements = new Elements(type, count, where);
    pushNested(elements, data, dims.length - 1);
    return { datatype: type, shape: dims, data: elements.data };
  }
  if (data.length !== count) {
    throw invalid(`${where}: shape [${dims.join(',')}] takes ${count} elements, data has ${data.length}.`);
  }
  const elements = new Elements(type, count, where);
  elements.push(data);
  return { datatype: type, shape: dims, data: elements.data };
}

/** What a tensor is but for its elements. @throws KedgeError `request-invalid` */
export function tensorHead(
  where: string,
  datatype: unknown,
  shape: unknown,
): { datatype: Datatype; dims: number[]; count: number } {
  if (!isDatatype(datatype)) {
    throw invalid(`${where}: datatype is ${show(datatype)}, which is none of ${DATATYPES.join(', ')}.`);
  }
  const dims = checkShape(where, shape);
  return { datatype, dims, count: countOf(where, dims) };
}

function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && (DATATYPES as readonly string[]).includes(value);
}

function checkShape(where: string, shape: unknown): number[] {
  if (!Array.isArray(shape)) throw invalid(`${where}: shape must be an array of whole numbers.`);
  if (shape.length > MAX_RANK)
    throw invalid(`${where}: shape has ${shape.length} dimensions, over the limit of ${MAX_RANK}.`);
  for (const dim of shape) {
    if (Number.isInteger(dim) && dim >= 0 && dim <= MAX_DIM) continue;
    throw invalid(`${where}: dimension ${show(dim)} is no whole number from 0 to ${MAX_DIM}.`);
  }
  return shape;
}

/** The number of elements, safe from overflow. */
function countOf(where: string, dims: readonly number[]): number {
  if (dims.includes(0)) return 0;
  let count = 1;
  for (const dim of dims) {
    count *= dim;
    if (count > MAX_ELEMENTS) throw invalid(`${where}: shape [${dims.join(',')}] has too many elements.`);
  }
  return count;
}

/** Every array at depth `depth` has `dims[depth]` items, and arrays stand nowhere else; checked before anything is allocated. */
function checkNested(where: string, dims: readonly number[], data: readonly unknown[], depth: number): void {
  if (data.length !== dims[depth]) {
    throw invalid(
      `${where}: nested data does not fit shape [${dims.join(',')}]: dimension ${depth} has ${data.length} items in one place.`,
    );
  }
  if (depth === dims.length - 1) return;
  for (const item of data) {
    if (!Array.isArray(item)) {
      throw invalid(
        `${where}: nested data is ragged: ${show(item)} stands where an array of dimension ${depth + 1} must.`,
      );
    }
    checkNested(where, dims, item, depth + 1);
  }
}

function pushNested(elements: Elements, data: readonly unknown[], depth: number): void {
  if (depth === 0) elements.push(data);
  else for (const item of data) pushNested(elements, item as unknown[], depth - 1);
}
