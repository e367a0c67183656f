import { KedgeError } from '../contract/errors.ts';
import type { Context } from './command.ts';

/**
 * Options that would do nothing are refused: whoever gives one takes it to have done something.
 * @param why what of them cannot be, and what to do
 * @throws KedgeError `config-invalid` that names those that are given
 */
export function refuseIdle(values: Context['values'], names: readonly string[], why: string): void {
  const given = names.filter((name) => values[name] !== undefined).map((name) => `--${name}`);
  if (given.length > 0) throw new KedgeError('config-invalid', `${given.join(', ')} ${why}`);
}
