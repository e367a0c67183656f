import { KedgeError } from '../contract/errors.ts';

/** Longest name of a file on common file systems, and longest key of S3; in bytes of UTF-8. */
const MAX_SEGMENT = 255;
const MAX_KEY = 1024;

/** The folder in a directory bucket that holds what is under way; it is never listed. */
export const HIDDEN_DIR = '.kedge';

/**
 * A key that every store can hold: segments between slashes, none of them empty, `.` or `..`, no backslash, no control
 * character, no lone surrogate.
 * @throws KedgeError `path-invalid`
 */
export function checkKey(key: string): string {
  const segments = key.split('/');
  const good =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    !/[\\\u0000-\u001f\u007f]/.test(key) &&
    key.isWellFormed() &&
    Buffer.byteLength(key) <= MAX_KEY &&
    segments[0] !== HIDDEN_DIR &&
    segments.every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= MAX_SEGMENT);
  if (good) return key;
  throw new KedgeError('path-invalid', `${JSON.stringify(key)} cannot be a key of a bucket.`);
}

/** @throws KedgeError `internal` for a range that no store understands */
export function checkRange(range: { offset: number; length?: number }): { offset: number; length?: number } {
  const { offset, length } = range;
  const good = Number.isSafeInteger(offset) && offset >= 0 && (length === undefined || length >= 1);
  if (good && (length === undefined || Number.isSafeInteger(length))) return range;
  throw new KedgeError('internal', `there is no range of ${length} bytes from ${offset}.`);
}

/** The order of S3: by the bytes of UTF-8, which for characters beyond the basic plane is not that of JavaScript strings. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
