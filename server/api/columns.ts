import type { Signature } from '../../contract/signature.ts';
import type { Tensor, Tensors } from '../../contract/tensor.ts';
import { isEncodedBytes, textsOf } from './b64.ts';
import type { TextMarks } from './byte-strings.ts';
import { tensorFromJson } from './json-tensor.ts';
import { invalid, isObject } from './parse.ts';
import { dimsOf, emptyDims, nestedValues, onlyInput } from './rows.ts';

/**
 * Tensors from the column form: an object with the whole tensor of each input, or the tensor of the only input. Each is nested as its
 * dimensions are.
 * @throws KedgeError `request-invalid`
 */
export function tensorsOfColumns({ inputs }: Signature, columns: unknown, marks: TextMarks): Tensors {
  const named = isObject(columns) && !isEncodedBytes(columns);
  const values: [string, unknown][] = named ? Object.entries(columns) : [[onlyInput(inputs, 'inputs').name, columns]];
  return new Map(
    values.map(([name, value]): [string, Tensor] => {
      const spec = inputs.find((input) => input.name === name);
      if (!spec) throw invalid(`inputs has '${name}', which is no input of the model.`);
      const where = `Input '${name}'`;
      const data = spec.datatype === 'BYTES' ? textsOf(where, value, marks) : value;
      const dims = Array.isArray(data) && data.length === 0 ? emptyDims(spec) : dimsOf(data);
      return [name, tensorFromJson(where, spec.datatype, dims, Array.isArray(data) ? data : [data])];
    }),
  );
}

/** The tensor of the only output, nested, or an object with that of each. */
export function columnsOfTensors(outputs: Tensors, standIns: boolean): unknown {
  const columns = [...outputs].map(([name, tensor]) => [name, nestedValues(name, tensor, standIns)] as const);
  return columns.length === 1 ? columns[0]![1] : Object.fromEntries(columns);
}
