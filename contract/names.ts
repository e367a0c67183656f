import { KedgeError } from './errors.ts';

const MODEL = /^[a-z0-9][a-z0-9._-]{0,127}$/;
const VERSION = /^[1-9][0-9]{0,14}$/;
const LABEL = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const MAX_PATH = 512;

/** A name that clients call: `[a-z0-9][a-z0-9._-]{0,127}`. */
export function isModelName(text: string): boolean {
  return MODEL.test(text) && !text.endsWith('.json');
}

/** @throws KedgeError `name-invalid` */
export function checkModelName(text: string): string {
  if (isModelName(text)) return text;
  throw new KedgeError(
    'name-invalid',
    `'${text}' cannot name a model: use 1 to 128 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit and not ending in .json.`,
  );
}

/** A positive integer without leading zeros, as text; undefined for anything else (`01`, `-1`, `1.0`, `latest`). */
export function parseVersion(text: string): number | undefined {
  return VERSION.test(text) ? Number(text) : undefined;
}

/** @throws KedgeError `name-invalid` */
export function checkVersion(text: string): number {
  const version = parseVersion(text);
  if (version !== undefined) return version;
  throw new KedgeError(
    'name-invalid',
    `'${text}' is no version: versions are whole numbers from 1, without leading zeros.`,
  );
}

/** A name for a version of a model, as `stable`: `[A-Za-z][A-Za-z0-9._-]{0,63}`. It cannot be mistaken for a version. */
export function isLabelName(text: string): boolean {
  return LABEL.test(text);
}

/** @throws KedgeError `name-invalid` */
export function checkLabel(text: string): string {
  if (isLabelName(text)) return text;
  throw new KedgeError(
    'name-invalid',
    `'${text}' cannot be a label: use 1 to 64 of letters, digits, '.', '_' and '-', beginning with a letter.`,
  );
}

/**
 * Whether a path of a file inside a version can be stored in any bucket and on any volume without leaving its folder:
 * relative, forward slashes, no empty, `.` or `..` segment, no backslash, no control character.
 */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > MAX_PATH) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\\\u0000-\u001f\u007f]/.test(path)) return false;
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}
