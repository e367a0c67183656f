import { KedgeError } from '../../contract/errors.ts';
import type { RowField } from '../../contract/estimator.ts';
import { show } from './errors.ts';
import { isObject } from './parse.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Holds domain rows against the fields that the estimator declares. Fields that it does not declare are let through: clients send
 * what the next version of the code wants before every server runs it.
 * @throws KedgeError `estimator-failed` that names row and field
 */
export function checkRows(fields: readonly RowField[], instances: readonly unknown[]): readonly Row[] {
  for (const [index, row] of instances.entries()) {
    if (!isObject(row)) throw failed(`instances[${index}] must be an object, not ${show(row)}.`);
    for (const field of fields) checkField(field, row, index);
  }
  return instances as readonly Row[];
}

function checkField({ name, type, required, description }: RowField, row: Row, index: number): void {
  const value = Object.hasOwn(row, name) ? row[name] : undefined;
  if (value === undefined || (value === null && !required)) {
    if (required) throw failed(`instances[${index}].${name} is missing: ${description}.`);
    return;
  }
  if (!CHECKS[type](value))
    throw failed(`instances[${index}].${name} must be ${NOUNS[type]}, not ${show(value)}: ${description}.`);
}

const CHECKS: Record<RowField['type'], (value: unknown) => boolean> = {
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value) || typeof value === 'bigint',
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
};

const NOUNS: Record<RowField['type'], string> = {
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  string: 'a string',
};

function failed(message: string): KedgeError {
  return new KedgeError('estimator-failed', message);
}
