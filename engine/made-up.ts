import type { Datatype, Signature, TensorSpec } from '../contract/signature.ts';
import { elementCount, newData, type Tensor, type TensorData, type Tensors } from '../contract/tensor.ts';

/**
 * Inputs for a try of a model that nobody made samples for.
 *
 * mild:    `ones`, `zeros`
 * hostile: `smallest-first`, `smallest-second`: the smallest integer and -1 take turns, over inputs and over elements, in both orders, because the
 *          quotient of the two does not fit and kills the process; `sizes`, `size-then-ones`: integers as large as the
 *          size of a tensor that must not be, in each element or in the first of each input.
 */
export type MadeUpKind = 'ones' | 'zeros' | 'smallest-first' | 'smallest-second' | 'sizes' | 'size-then-ones';

export interface MadeUpOptions {
  /** Size of the first dimension where it is free. */
  rows: number;
  /** Size of all other free dimensions; `rows` if absent, as equal sizes fit where dimensions are shared. */
  others?: number;
  /** What `sizes` means, in elements. */
  size?: number;
}

/** One tensor for each input that a request must give; floats are 1 and strings '1' in the hostile kinds. */
export function madeUpInputs(signature: Signature, kind: MadeUpKind, options: MadeUpOptions): Tensors {
  let integers = 0;
  return new Map(
    signature.inputs
      .filter((spec) => !spec.optional)
      .map((spec): [string, Tensor] => {
        const turn = isInteger(spec.datatype) ? integers++ : 0;
        return [spec.name, madeUpTensor(spec, kind, turn, options)];
      }),
  );
}

/** Whether the hostile kinds differ from the mild ones for this model. */
export function hasIntegers(signature: Signature): boolean {
  return signature.inputs.some((spec) => !spec.optional && isInteger(spec.datatype));
}

/** Whether other numbers of rows or other sizes make other inputs. */
export function hasFreeDimension(signature: Signature): boolean {
  return signature.inputs.some((spec) => !spec.optional && spec.shape.includes(-1));
}

function isInteger(datatype: Datatype): boolean {
  return /^U?INT/.test(datatype);
}

function madeUpTensor(spec: TensorSpec, kind: MadeUpKind, turn: number, options: MadeUpOptions): Tensor {
  const { rows, others = rows } = options;
  const shape = spec.shape.map((dim, axis) => (dim >= 0 ? dim : axis === 0 ? rows : others));
  const data = newData(spec.datatype, elementCount(shape)) as (number | bigint | string)[];
  const integers = isInteger(spec.datatype);
  if (!integers) data.fill(plainValue(spec.datatype, kind));
  for (let index = 0; integers && index < data.length; index++) {
    data[index] = integerValue(spec.datatype, kind, index + turn, index, options);
  }
  return { datatype: spec.datatype, shape, data: data as TensorData };
}

function plainValue(datatype: Datatype, kind: MadeUpKind): number | string {
  if (datatype === 'BYTES') return kind === 'zeros' ? '' : '1';
  return kind === 'zeros' ? 0 : 1;
}

function integerValue(
  datatype: Datatype,
  kind: MadeUpKind,
  turn: number,
  index: number,
  { size = 1 }: MadeUpOptions,
): number | bigint {
  const { smallest, largest, minusOne } = rangeOf(datatype);
  const large = BigInt(size) < largest ? BigInt(size) : largest;
  const smallestTurn = kind === 'smallest-second' ? 1 : 0;
  const values: Record<MadeUpKind, bigint> = {
    ones: 1n,
    zeros: 0n,
    'smallest-first': turn % 2 === smallestTurn ? smallest : minusOne,
    'smallest-second': turn % 2 === smallestTurn ? smallest : minusOne,
    sizes: large,
    'size-then-ones': index === 0 ? large : 1n,
  };
  return datatype.endsWith('64') ? values[kind] : Number(values[kind]);
}

/** Of an unsigned type the largest stands for -1: the same bits. */
function rangeOf(datatype: Datatype): { smallest: bigint; largest: bigint; minusOne: bigint } {
  const bits = BigInt(datatype.match(/\d+/)![0]);
  if (datatype.startsWith('U')) {
    const largest = 2n ** bits - 1n;
    return { smallest: 0n, largest, minusOne: largest };
  }
  return { smallest: -(2n ** (bits - 1n)), largest: 2n ** (bits - 1n) - 1n, minusOne: -1n };
}
