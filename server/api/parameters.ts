import { show } from './errors.ts';
import { invalid, isObject, type JsonObject } from './parse.ts';

export type Parameters = JsonObject;

const NONE: Parameters = {};

/**
 * The parameters of a request. Those that Triton keeps for itself are refused, as Triton does; those that nobody knows are ignored.
 * @throws KedgeError `request-invalid`
 */
export function checkParameters(parameters: unknown): Parameters {
  if (!isObject(parameters)) return NONE;
  for (const name in parameters) if (name.startsWith('triton_')) throw invalid(`The parameter '${name}' is reserved.`);
  return parameters;
}

/** A parameter that is true or false; false where it is absent. @throws KedgeError `request-invalid` */
export function readFlag(parameters: Parameters, name: string, where = 'The request'): boolean {
  const value = parameters[name];
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw invalid(`${where}: ${name} must be true or false, not ${show(value)}.`);
}

/** A parameter that is a whole number from `min`; undefined where it is absent. @throws KedgeError `request-invalid` */
export function readWhole(
  parameters: Parameters,
  name: string,
  min: number,
  where = 'The request',
): number | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
  throw invalid(`${where}: ${name} must be a whole number from ${min}, not ${show(value)}.`);
}
