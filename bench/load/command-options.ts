import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { Target } from './targets.ts';

/** Where tools of the closed and the open loop look for a file, and what they read it as. */
type ReadBytes = (file: string) => Buffer;

const TARGET = /^([^/=]+)(?:\/(\d+))?(?:=(.*))?$/;
const FOR_MODEL = /^([a-z0-9][a-z0-9._-]*)=(.+)$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) *: *(.*)$/;

/** `NAME`, `NAME=WEIGHT`, `NAME/VERSION` or both. @throws KedgeError `config-invalid` */
export function parseTarget(text: string): Target {
  const [, model, version, weightText] = TARGET.exec(text) ?? [];
  const weight = weightText === undefined ? 1 : weightText.trim() === '' ? Number.NaN : Number(weightText);
  if (model !== undefined && weight > 0 && weight < Number.POSITIVE_INFINITY) {
    return { model, weight, ...(version !== undefined && { version }) };
  }
  throw invalid(`--model ${text}: write NAME, NAME=WEIGHT with a weight over 0, or NAME/VERSION.`);
}

/** `NAME: VALUE`. @throws KedgeError `config-invalid` */
export function parseHeader(text: string): [name: string, value: string] {
  const [, name, value] = HEADER.exec(text) ?? [];
  if (name !== undefined && !/[\r\n]/.test(value!)) return [name.toLowerCase(), value!];
  throw invalid('--header takes NAME: VALUE, such as authorization: Bearer …');
}

/** An address without what belongs elsewhere. @throws KedgeError `config-invalid` */
export function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '') {
    return url.origin + url.pathname.replace(/\/$/, '');
  }
  throw invalid(`'${text}' is no address of a server; write it as http://HOST:PORT or https://HOST:PORT.`);
}

/** What files are given for, by model; under `''` for all others: from words `FILE` or `MODEL=FILE`. @throws KedgeError `config-invalid` */
export function readByModel<T>(
  option: string,
  words: readonly string[],
  readBytes: ReadBytes,
  parse: (file: string, bytes: Buffer) => T[],
): Map<string, T[]> {
  const all = new Map<string, T[]>();
  for (const word of words) {
    const [, model = '', file = word] = FOR_MODEL.exec(word) ?? [];
    try {
      all.set(model, [...(all.get(model) ?? []), ...parse(file, readBytes(file))]);
    } catch (error) {
      throw invalid(`--${option} ${file}: ${messageOf(error)}.`);
    }
  }
  return all;
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', message);
}
