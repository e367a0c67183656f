import type { Manifest, Sample, SampleTensor } from '../../contract/manifest.ts';
import type { Signature } from '../../contract/signature.ts';

/** More elements than this make no readable example. */
const MAX_ELEMENTS = 4_096;

/** A request that the model answers: the first sample of its manifest that is small enough; undefined without one. */
export function inferExample({ samples }: Manifest): object | undefined {
  const sample = readable(samples);
  if (!sample) return undefined;
  const inputs = Object.entries(sample.inputs).map(([name, { datatype, shape, data }]) => ({
    name,
    shape,
    datatype,
    data: data.map(plain),
  }));
  return { inputs };
}

/** The same as columns of TensorFlow Serving's form. */
export function columnsExample({ samples }: Manifest): object | undefined {
  const sample = readable(samples);
  if (!sample) return undefined;
  const columns = Object.entries(sample.inputs).map(([name, { shape, data }]) => [name, nest(data.map(plain), shape)]);
  return { inputs: Object.fromEntries(columns) };
}

/** The same as rows of TensorFlow Serving's form: that of the only input, or objects with a row of each. */
export function rowsExample({ samples }: Manifest, { inputs }: Signature): object | undefined {
  const sample = readable(samples);
  const tensors = Object.entries(sample?.inputs ?? {});
  const count = tensors[0]?.[1].shape[0] ?? 0;
  if (count === 0 || tensors.some(([, { shape }]) => shape[0] !== count)) return undefined;
  const rowOf = (tensor: SampleTensor, row: number): unknown => {
    const size = tensor.data.length / count;
    return nest(tensor.data.slice(row * size, (row + 1) * size).map(plain), tensor.shape.slice(1));
  };
  const alone = inputs.filter(({ optional }) => !optional).length === 1 && tensors.length === 1;
  const instances = Array.from({ length: count }, (_, row) =>
    alone
      ? rowOf(tensors[0]![1], row)
      : Object.fromEntries(tensors.map(([name, tensor]) => [name, rowOf(tensor, row)])),
  );
  return { instances };
}

/** The first sample that is small enough, and that strict JSON can hold. */
export function readable(samples: readonly Sample[] | undefined): Sample | undefined {
  return samples?.find(({ inputs }) =>
    Object.values(inputs).every(
      ({ data }) => data.length <= MAX_ELEMENTS && data.every((value) => plain(value) !== undefined),
    ),
  );
}

/** A value as strict JSON has it; undefined for those that it has not. */
function plain(value: SampleTensor['data'][number]): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
}

function nest(values: unknown[], dims: readonly number[]): unknown {
  if (dims.length === 0) return values[0];
  if (dims.length === 1) return values;
  const size = values.length / dims[0]!;
  return Array.from({ length: dims[0]! }, (_, index) =>
    nest(values.slice(index * size, (index + 1) * size), dims.slice(1)),
  );
}
