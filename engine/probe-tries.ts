import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import { hasFreeDimension, hasIntegers, type MadeUpKind, type MadeUpOptions, madeUpInputs } from './made-up.ts';

/** One run with made-up inputs. */
export interface Try {
  /** For sentences: `ones, 2 rows`. */
  title: string;
  kind: MadeUpKind;
  rows: number;
  /** Values that a sound client may never send. */
  hostile: boolean;
  inputs: Tensors;
}

/** So much more than the limit do the tensors take that a size-like integer asks for. */
const OVER_LIMIT = 1.25;
/** Bytes of an element that a model may make as many of as an integer says. */
const ELEMENT_BYTES = [4, 1] as const;

/**
 * The mild tries: ones and zeros, in one row and in two. With two rows all free dimensions are 2, as they may be meant to be equal; where there are
 * others than the first, also with those at 1, which tells rows from the rest.
 */
export function mildTries(signature: Signature): Try[] {
  const free = hasFreeDimension(signature);
  const others = signature.inputs.some((spec) => !spec.optional && spec.shape.indexOf(-1, 1) > 0);
  return (['ones', 'zeros'] as const).flatMap((kind) => [
    makeTry(signature, kind, { rows: 1 }),
    ...(free ? [makeTry(signature, kind, { rows: 2 })] : []),
    ...(others ? [makeTry(signature, kind, { rows: 2, others: 1 })] : []),
  ]);
}

/** The hostile tries, for models that take integers: extremes, and sizes of tensors that pass `memoryBytes`. */
export function hostileTries(signature: Signature, memoryBytes: number): Try[] {
  if (!hasIntegers(signature)) return [];
  const sizes = ELEMENT_BYTES.map((bytes) => Math.ceil((memoryBytes * OVER_LIMIT) / bytes));
  const rows = hasFreeDimension(signature) ? [1, 2] : [1];
  return [
    ...(['smallest-first', 'smallest-second'] as const).flatMap((kind) =>
      rows.map((count) => makeTry(signature, kind, { rows: count })),
    ),
    ...(['sizes', 'size-then-ones'] as const).flatMap((kind) =>
      sizes.map((size) => makeTry(signature, kind, { rows: 1, size })),
    ),
  ];
}

const TITLES: Readonly<Record<MadeUpKind, string>> = {
  ones: 'ones',
  zeros: 'zeros',
  'smallest-first': 'the smallest integer and -1',
  'smallest-second': '-1 and the smallest integer',
  sizes: 'a large integer',
  'size-then-ones': 'a large integer and ones',
};

function makeTry(signature: Signature, kind: MadeUpKind, options: MadeUpOptions): Try {
  const { rows } = options;
  return {
    title: `${TITLES[kind]}, ${rows} ${rows === 1 ? 'row' : 'rows'}`,
    kind,
    rows,
    hostile: kind !== 'ones' && kind !== 'zeros',
    inputs: madeUpInputs(signature, kind, options),
  };
}

/** A run that was answered. */
export interface Observation {
  inputs: Tensors;
  outputs: Tensors;
}

/**
 * Outputs whose first dimension follows the number of rows in every observation. Rows are the size of the first dimension of the inputs where it is
 * free, if they agree. One number of rows alone proves nothing of an output that declares that size or of a single row, so such
 * an output needs observations of two.
 */
export function rowOutputsOf(signature: Signature, observations: readonly Observation[]): string[] {
  const counted = observations.flatMap(({ inputs, outputs }) => {
    const rows = rowsOf(signature, inputs);
    return rows === undefined ? [] : [{ rows, outputs }];
  });
  return signature.outputs
    .filter(({ name, shape }) => {
      const seen = counted.flatMap(({ rows, outputs }) => {
        const size = outputs.get(name)?.shape[0];
        return size === undefined ? [] : [{ rows, size }];
      });
      const telling = seen.some(({ rows }) => (rows > 1 && rows !== shape[0]) || rows !== seen[0]!.rows);
      return telling && seen.length === counted.length && seen.every(({ rows, size }) => rows === size);
    })
    .map(({ name }) => name);
}

function rowsOf(signature: Signature, inputs: Tensors): number | undefined {
  const sizes = signature.inputs
    .filter((spec) => spec.shape[0] === -1)
    .flatMap((spec) => inputs.get(spec.name)?.shape[0] ?? []);
  return sizes.every((size) => size === sizes[0]) ? sizes[0] : undefined;
}
