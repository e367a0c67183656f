import { KedgeError } from '../../contract/errors.ts';
import { command } from './command/command.ts';
import type { Fitter } from './fitter.ts';
import { gbdt } from './gbdt/gbdt.ts';
import { ridge } from './ridge/ridge.ts';

const FITTERS: Readonly<Record<string, Fitter>> = { gbdt, ridge, command };

export const FITTER_NAMES: readonly string[] = Object.keys(FITTERS);

/** @throws KedgeError `config-invalid` for a name that no fitter has */
export function fitterNamed(name: string): Fitter {
  const fitter = Object.hasOwn(FITTERS, name) ? FITTERS[name] : undefined;
  if (fitter) return fitter;
  throw new KedgeError('config-invalid', `There is no fitter '${name}': choose one of ${FITTER_NAMES.join(', ')}.`);
}
