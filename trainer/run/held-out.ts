import { KedgeError } from '../../contract/errors.ts';
import type { HeldOut } from './trainable.ts';

const COLUMNS_OF_TARGETS = 3;

/** Target, naive, fitted as 64-bit floats, then the features as 32-bit floats; little-endian. What cannot be told from that stands in the result. */
export function encodeHeldOut({ rows, columns, features, target, naive, fitted }: HeldOut): Buffer {
  for (const [name, values, length] of [
    ['target', target, rows],
    ['naive', naive, rows],
    ['fitted', fitted, rows],
    ['features', features, rows * columns],
  ] as const) {
    if (values.length === length) continue;
    throw new KedgeError('fit-failed', `The held-out part has ${values.length} values of '${name}' and not ${length}.`);
  }
  const parts = [target, naive, fitted, features];
  return Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

/** @throws KedgeError `document-invalid` for bytes of another length */
export function decodeHeldOut(bytes: Uint8Array, { rows, columns }: Pick<HeldOut, 'rows' | 'columns'>): HeldOut {
  const length = rows * (COLUMNS_OF_TARGETS * 8 + columns * 4);
  if (bytes.byteLength !== length) {
    throw new KedgeError('document-invalid', `The held-out rows have ${bytes.byteLength} bytes and not ${length}.`);
  }
  // Views want an aligned buffer of their own.
  const { buffer } = new Uint8Array(bytes);
  const at = (part: number): Float64Array => new Float64Array(buffer, part * rows * 8, rows);
  const features = new Float32Array(buffer, COLUMNS_OF_TARGETS * rows * 8, rows * columns);
  return { rows, columns, features, target: at(0), naive: at(1), fitted: at(2) };
}
