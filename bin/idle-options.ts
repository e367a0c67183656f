import { KedgeError } from '../contract/errors.ts';
import type { Context } from './command.ts';

/** Options of a command, and when they would do nothing. */
export interface IdleRule<Case> {
  names: readonly string[];
  /** Whether they do nothing. */
  isIdle(given: Case): boolean;
  /** What follows their names: what of them cannot be, and what to do. */
  why: string;
}

/**
 * Options that would do nothing are refused: whoever gives one takes it to have done something.
 * @throws KedgeError `config-invalid` that names all of them that are given
 */
export function refuseByRules<Case>(values: Context['values'], rules: readonly IdleRule<Case>[], given: Case): void {
  const problems = rules.flatMap(({ names, isIdle, why }) => {
    const idle = isIdle(given) ? names.filter((name) => values[name] !== undefined) : [];
    return idle.length === 0 ? [] : [`${idle.map((name) => `--${name}`).join(', ')} ${why}`];
  });
  if (problems.length > 0) throw new KedgeError('config-invalid', problems.join('\n'));
}

/**
 * The same for options that do nothing in any case.
 * @param why what of them cannot be, and what to do
 * @throws KedgeError `config-invalid` that names those that are given
 */
export function refuseIdle(values: Context['values'], names: readonly string[], why: string): void {
  refuseByRules(values, [{ names, isIdle: () => true, why }], undefined);
}
