import { isUtf8 } from 'node:buffer';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import { tooLarge } from './body-limit.ts';

/** Levels of arrays and objects in a body. */
const MAX_DEPTH = 100;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export type JsonObject = Readonly<Record<string, unknown>>;

export function invalid(message: string): KedgeError {
  return new KedgeError('request-invalid', message);
}

/** The object that a body is, or its JSON. @throws KedgeError `request-invalid`, `body-too-large` */
export function parseObject(body: Buffer, maxBytes = Number.POSITIVE_INFINITY): JsonObject {
  if (body.length > maxBytes) throw tooLarge({ maxBytes, json: true });
  if (body.length === 0) throw invalid('The body is empty; it must be a JSON object.');
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.');
  if (isTooDeep(body)) throw invalid(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  let value: unknown;
  try {
    value = parseJson(body.toString('utf8'));
  } catch (error) {
    throw invalid(`The body is not JSON: ${messageOf(error)}.`);
  }
  if (!isObject(value)) throw invalid('The body must be a JSON object.');
  return value;
}

/** Whether arrays and objects nest beyond the limit. Bodies too short for it, or with few brackets, the usual ones, are not walked. */
function isTooDeep(body: Buffer): boolean {
  if (body.length <= 2 * MAX_DEPTH) return false;
  if (count(body, OPEN_ARRAY) + count(body, OPEN_OBJECT) <= MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += Number(byte === BACKSLASH);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** How often a byte occurs, as far as it matters. */
function count(body: Buffer, byte: number): number {
  let found = 0;
  for (let at = body.indexOf(byte); at >= 0 && found <= MAX_DEPTH; at = body.indexOf(byte, at + 1)) found += 1;
  return found;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
