import { KedgeError } from '../contract/errors.ts';
import type { Sample, SampleTensor } from '../contract/manifest.ts';
import type { Datatype } from '../contract/signature.ts';
import { elementCount, newData, type Tensor, type TensorData, type Tensors } from '../contract/tensor.ts';

type SampleValue = SampleTensor['data'][number];

/** Bits of each integer datatype, and whether it has a sign. */
const INTEGERS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  UINT8: [8, false],
  UINT16: [16, false],
  UINT32: [32, false],
  UINT64: [64, false],
  INT8: [8, true],
  INT16: [16, true],
  INT32: [32, true],
  INT64: [64, true],
};

/** Infinities and NaN may stand as strings too, as some writers of JSON have them. */
const FLOAT_WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** @throws KedgeError `document-invalid` where the values do not fit the datatype or the shape */
export function tensorOfSample({ datatype, shape, data }: SampleTensor): Tensor {
  const count = elementCount(shape);
  if (data.length !== count) throw invalid(`has ${data.length} elements, expected ${count} for shape [${shape}]`);
  const elements = newData(datatype, count) as (number | bigint | string)[];
  data.forEach((value, index) => {
    const element = elementOf(datatype, value);
    if (element === undefined) throw invalid(`has ${String(value)} as element ${index}, expected ${datatype}`);
    elements[index] = element;
  });
  return { datatype, shape, data: elements as TensorData };
}

/** Inputs or outputs of a sample. @throws KedgeError `document-invalid` that names the tensor */
export function tensorsOfSample(tensors: Sample['inputs']): Tensors {
  return new Map(
    Object.entries(tensors).map(([name, tensor]) => {
      try {
        return [name, tensorOfSample(tensor)];
      } catch (error) {
        throw new KedgeError('document-invalid', `Tensor '${name}' ${(error as Error).message}.`);
      }
    }),
  );
}

function invalid(problem: string): KedgeError {
  return new KedgeError('document-invalid', problem);
}

function elementOf(datatype: Datatype, value: SampleValue): number | bigint | string | undefined {
  if (datatype === 'BYTES') return typeof value === 'string' ? value : undefined;
  if (datatype === 'BOOL') return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined;
  const integer = INTEGERS[datatype];
  if (integer) return integerOf(integer, value);
  if (typeof value === 'string') return FLOAT_WORDS[value];
  return typeof value === 'boolean' ? undefined : Number(value);
}

function integerOf([bits, signed]: readonly [number, boolean], value: SampleValue): number | bigint | undefined {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!whole) return undefined;
  const exact = BigInt(value);
  const wrapped = signed ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact);
  if (wrapped !== exact) return undefined;
  return bits === 64 ? exact : Number(exact);
}

/**
 * The first difference of `got` from `want` as a sentence, or undefined. Floats may differ by `abs + rel * |want|`; NaN equals
 * NaN; everything else is exact. Outputs that `want` lacks are not looked at.
 */
export function compareOutputs(got: Tensors, want: Tensors, tolerance: Sample['tolerance']): string | undefined {
  for (const [name, wanted] of want) {
    const tensor = got.get(name);
    const difference = tensor ? tensorDifference(tensor, wanted, tolerance) : 'is missing';
    if (difference) return `Output '${name}' ${difference}.`;
  }
  return undefined;
}

function tensorDifference(got: Tensor, want: Tensor, tolerance: Sample['tolerance']): string | undefined {
  if (got.datatype !== want.datatype) return `has datatype ${got.datatype}, expected ${want.datatype}`;
  if (got.shape.join() !== want.shape.join()) return `has shape [${got.shape}], expected [${want.shape}]`;
  for (let index = 0; index < want.data.length; index++) {
    const [left, right] = [got.data[index]!, want.data[index]!];
    if (!isClose(left, right, tolerance)) return `is ${shown(left)} in element ${index}, expected ${shown(right)}`;
  }
  return undefined;
}

function isClose(got: SampleValue, want: SampleValue, { abs, rel }: Sample['tolerance']): boolean {
  if (Object.is(got, want) || got === want) return true;
  if (typeof got !== 'number' || typeof want !== 'number' || !Number.isFinite(want)) return false;
  return Math.abs(got - want) <= abs + rel * Math.abs(want);
}

function shown(value: SampleValue): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
