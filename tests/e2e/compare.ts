import type { SharedCase, SharedTensor } from '../shared.ts';

const SPECIAL: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
const isFloat = (datatype: string): boolean => datatype.startsWith('FP');

/** The first difference between an answer and the one wanted, as a sentence; undefined when they agree. */
export function difference(wanted: SharedCase, got: readonly SharedTensor[]): string | undefined {
  for (const want of wanted.response_outputs) {
    const tensor = got.find((output) => output.name === want.name);
    if (!tensor) return `${want.name} is missing`;
    if (tensor.datatype !== want.datatype) return `${want.name} is ${tensor.datatype} for ${want.datatype}`;
    if (tensor.shape.join() !== want.shape.join()) return `${want.name} has shape ${tensor.shape} for ${want.shape}`;
    if (tensor.data.length !== want.data.length)
      return `${want.name} has ${tensor.data.length} elements for ${want.data.length}`;
    const at = want.data.findIndex(
      (value, index) => !agrees(want.datatype, value, tensor.data[index], wanted.tolerance),
    );
    if (at >= 0) return `${want.name}, element ${at}: ${tensor.data[at]} for ${want.data[at]}`;
  }
  return undefined;
}

function agrees(datatype: string, want: unknown, got: unknown, { abs, rel }: SharedCase['tolerance']): boolean {
  if (!isFloat(datatype))
    return typeof want === 'boolean' || typeof want === 'string'
      ? got === want
      : BigInt(got as number) === BigInt(want as number);
  const [a, b] = [want, got].map((value) => (typeof value === 'string' ? SPECIAL[value]! : Number(value))) as [
    number,
    number,
  ];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  // Of an infinity the tolerance would be infinite, too.
  return a === b || (Number.isFinite(a) && Math.abs(b - a) <= abs + rel * Math.abs(a));
}
