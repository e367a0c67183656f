import { KedgeError } from '../contract/errors.ts';
import type { Tensors } from '../contract/tensor.ts';

/**
 * The runtime's binding cuts a string at NUL, silently. So NUL travels through the runtime as a noncharacter, a code point
 * that Unicode keeps free for such private use and that occurs in no string of the request; in the outputs it becomes NUL again. A model
 * that compares or splits strings sees the noncharacter; a NUL among the model's own strings is lost all the same.
 */
const NUL = '\u0000';
const NONCHARACTERS = Array.from({ length: 32 }, (_, index) => String.fromCharCode(0xfdd0 + index));

/** The noncharacter that stands for NUL in this request; undefined where no string holds a NUL. @throws KedgeError `request-invalid` where all are taken */
export function standInForNul(inputs: Tensors): string | undefined {
  const strings = [...inputs.values()].flatMap(({ data }) => (Array.isArray(data) ? [data] : []));
  if (!strings.some((data) => data.some((text) => text.includes(NUL)))) return undefined;
  const free = NONCHARACTERS.find((mark) => !strings.some((data) => data.some((text) => text.includes(mark))));
  if (free !== undefined) return free;
  throw new KedgeError(
    'request-invalid',
    'The strings hold NUL and every noncharacter from U+FDD0 to U+FDEF, so that none is left to carry NUL through the runtime: leave one of them out.',
  );
}

export function hideNul(data: readonly string[], mark: string): string[] {
  return data.map((text) => text.replaceAll(NUL, mark));
}

export function showNul(data: readonly string[], mark: string): string[] {
  return data.map((text) => text.replaceAll(mark, NUL));
}
