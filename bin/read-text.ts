import { readFileSync } from 'node:fs';
import { KedgeError, messageOf } from '../contract/errors.ts';

/** The text of a file that an option names. @throws KedgeError `config-invalid` */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new KedgeError('config-invalid', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
