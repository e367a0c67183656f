import { elementCount, type Tensor } from '../../contract/tensor.ts';
import { invalid } from './parse.ts';

/**
 * The classification extension: in the place of an output, the highest `count` values of each row with their indices, highest
 * first, as strings `value:index`. The rows are those of the first dimension; an output of one dimension is one row. NaN comes last.
 * @returns BYTES of shape [rows, count], or [count] for one dimension; fewer where a row has fewer
 * @throws KedgeError `request-invalid` for an output of strings
 */
export function classify(name: string, { datatype, shape, data }: Tensor, count: number): Tensor {
  if (Array.isArray(data)) throw invalid(`Output '${name}' is ${datatype}: only numbers can be classified.`);
  const rows = shape.length < 2 ? 1 : shape[0]!;
  const size = shape.length < 2 ? data.length : elementCount(shape.slice(1));
  const kept = Math.min(count, size);
  const write = datatype.startsWith('FP') ? writeFloat : String;
  const classes: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const values = data.subarray(row * size, (row + 1) * size);
    for (const index of highest(values, kept)) classes.push(`${write(values[index]!)}:${index}`);
  }
  return { datatype: 'BYTES', shape: shape.length < 2 ? [kept] : [rows, kept], data: classes };
}

type Values = Exclude<Tensor['data'], string[]>;

function highest(values: Values, count: number): number[] {
  const order = [...values.keys()];
  order.sort((a, b) => compare(values[a]!, values[b]!) || a - b);
  return order.slice(0, count);
}

/** Higher first. */
function compare(a: number | bigint, b: number | bigint): number {
  if (a > b) return -1;
  if (a < b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Six decimals, as Triton writes them. */
function writeFloat(value: number | bigint): string {
  return Number.isFinite(value) ? (value as number).toFixed(6) : String(value);
}
