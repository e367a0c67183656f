import type { Signature, TensorSpec } from '../../contract/signature.ts';
import { elementCount, type Tensor, type Tensors } from '../../contract/tensor.ts';
import { isEncodedBytes, textOrBytes, textsOf } from './b64.ts';
import { TextMarks } from './byte-strings.ts';
import { show } from './errors.ts';
import { tensorFromJson } from './json-tensor.ts';
import { invalid, isObject } from './parse.ts';

/**
 * Tensors from rows: each instance is the row of the only required input, or an object with a row for each input by name.
 * A row is nested as its dimensions are, or flat where they are all fixed; a single element may stand without brackets.
 * @throws KedgeError `request-invalid`
 */
export function tensorsOfRows(
  { inputs }: Signature,
  instances: readonly unknown[],
  marks: TextMarks = new TextMarks(),
): Tensors {
  const named = instances.some((row) => isObject(row) && !isEncodedBytes(row));
  if (named) return namedRows(inputs, instances, marks);
  const only = onlyInput(inputs, 'each instance');
  return new Map([[only.name, stack(only, instances, marks)]]);
}

/** The input that is meant where none is named. @throws KedgeError `request-invalid` where there are several */
export function onlyInput(inputs: readonly TensorSpec[], what: string): TensorSpec {
  const required = inputs.filter((input) => !input.optional);
  const only = required.length === 1 ? required[0] : inputs.length === 1 ? inputs[0] : undefined;
  if (only) return only;
  const names = inputs.map(({ name }) => `'${name}'`).join(', ');
  throw invalid(`The model has the inputs ${names}: ${what} must be an object with a value for each.`);
}

function namedRows(inputs: readonly TensorSpec[], instances: readonly unknown[], marks: TextMarks): Tensors {
  const byName = new Map(inputs.map((input) => [input.name, input]));
  const columns = new Map<string, unknown[]>();
  for (const [index, row] of instances.entries()) {
    if (!isObject(row)) throw invalid(`instances[${index}] must be an object like the others, not ${show(row)}.`);
    for (const [name, value] of Object.entries(row)) {
      if (!byName.has(name)) throw invalid(`instances[${index}] has '${name}', which is no input of the model.`);
      const column = columns.get(name) ?? [];
      if (column.length !== index)
        throw invalid(`instances[${column.length}] lacks the input '${name}' that others have.`);
      column.push(value);
      columns.set(name, column);
    }
  }
  for (const [name, column] of columns) {
    if (column.length !== instances.length)
      throw invalid(`instances[${column.length}] lacks the input '${name}' that others have.`);
  }
  return new Map([...columns].map(([name, column]) => [name, stack(byName.get(name)!, column, marks)]));
}

/** One tensor of all rows, the rows along its first dimension. */
function stack(spec: TensorSpec, given: readonly unknown[], marks: TextMarks): Tensor {
  const { name, datatype, shape } = spec;
  const where = `Input '${name}'`;
  if (shape.length === 0) throw invalid(`${where} is a scalar and has no rows: use /v2/models/…/infer.`);
  const rows = datatype === 'BYTES' ? (textsOf(where, given, marks) as unknown[]) : given;
  const dims = shape.slice(1);
  const first = rows[0];
  const nested = dimsOf(first);
  const fixed = !dims.includes(-1);
  // Without rows nothing tells the free dimensions.
  if (rows.length === 0) return tensorFromJson(where, datatype, emptyDims(spec), []);
  if (fixed && nested.length <= 1 && (nested[0] ?? 1) === elementCount(dims)) {
    for (const [index, row] of rows.entries()) {
      const got = Array.isArray(row) ? row.length : 1;
      if (Array.isArray(row) !== Array.isArray(first) || got !== elementCount(dims)) {
        throw invalid(`${where}: instances[${index}] has another form than instances[0].`);
      }
    }
    return tensorFromJson(where, datatype, [rows.length, ...dims], rows.flat());
  }
  return tensorFromJson(where, datatype, [rows.length, ...nested], rows);
}

/** The shape of a tensor without rows. */
export function emptyDims({ shape }: TensorSpec): number[] {
  return [0, ...shape.slice(1).map((dim) => Math.max(0, dim))];
}

/** Dimensions of nested arrays, by their first items. */
export function dimsOf(value: unknown): number[] {
  const dims: number[] = [];
  for (let item = value; Array.isArray(item) && dims.length < 32; item = item[0]) dims.push(item.length);
  return dims;
}

/**
 * The prediction of each row: the row of the only output, or an object with the row of each output.
 * @throws KedgeError `request-invalid` where an output has no row for each instance
 */
export function rowsOfTensors(outputs: Tensors, count: number, standIns = false): unknown[] {
  const columns = [...outputs].map(([name, tensor]) => [name, unstack(name, tensor, count, standIns)] as const);
  const [only] = columns;
  if (columns.length === 1) return only![1];
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map(([name, rows]) => [name, rows[row]])),
  );
}

function unstack(name: string, tensor: Tensor, count: number, standIns: boolean): unknown[] {
  const { shape } = tensor;
  if (shape[0] !== count) {
    throw invalid(
      `Output '${name}' has the shape [${shape.join(',')}], not a row for each of ${count} instances: use /v2/models/…/infer.`,
    );
  }
  return nestedValues(name, tensor, standIns) as unknown[];
}

/** The elements of a tensor as JSON values, nested as its shape is; of a scalar, the element. */
export function nestedValues(name: string, { datatype, shape, data }: Tensor, standIns: boolean): unknown {
  const values = Array.isArray(data)
    ? data.map((text) => textOrBytes(name, text, standIns))
    : Array.from<unknown>(data as ArrayLike<unknown>);
  if (shape.length === 0) return datatype === 'BOOL' ? Boolean(values[0]) : values[0];
  return nest(datatype === 'BOOL' ? values.map(Boolean) : values, shape);
}

function nest(values: unknown[], shape: readonly number[]): unknown[] {
  if (shape.length <= 1) return values;
  const [rows, ...rest] = shape as [number, ...number[]];
  const size = elementCount(rest);
  return Array.from({ length: rows }, (_, row) => nest(values.slice(row * size, (row + 1) * size), rest));
}
