import { show } from './errors.ts';
import { invalid, isObject, type JsonObject } from './parse.ts';

export type Parameters = JsonObject;

const NONE: Parameters = {};

/**
 * The parameters of a request. Those that Triton keeps for itself are refused, as Triton does; those that nobody knows are ignored.
 * @throws KedgeError `request-invalid`
 */
export function checkParameters(given: unknown): Parameters {
  const parameters = readParameters(given, 'The request');
  for (const name in parameters) if (name.startsWith('triton_')) throw invalid(`The parameter '${name}' is reserved.`);
  return parameters;
}

/** Parameters of the request, an input or an output; null stands for none. @throws KedgeError `request-invalid` */
export function readParameters(parameters: unknown, where: string): Parameters {
  if (parameters === undefined || parameters === null) return NONE;
  if (isObject(parameters)) return parameters;
  throw invalid(`${where}: parameters must be an object, not ${show(parameters)}.`);
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
