import { isUtf8 } from 'node:buffer';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function invalid(message: string): KedgeError {
  return new KedgeError('request-invalid', message);
}

/** The object that a body is. @throws KedgeError `request-invalid` */
export function parseObject(body: Buffer): JsonObject {
  if (body.length === 0) throw invalid('The body is empty; it must be a JSON object.');
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.');
  let value: unknown;
  try {
    value = parseJson(body.toString('utf8'));
  } catch (error) {
    // A RangeError says that it is nested too deep for the stack.
    throw invalid(`The body is not JSON: ${messageOf(error)}.`);
  }
  if (!isObject(value)) throw invalid('The body must be a JSON object.');
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
