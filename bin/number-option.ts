import { KedgeError } from '../contract/errors.ts';
import type { CommandOption, Context } from './command.ts';

/** An option that is a number. */
interface NumberOption {
  about: string;
  /** What stands for the value in help. */
  value: string;
  /** Undefined: it may be absent. */
  default?: number;
  /** Both are allowed. */
  min: number;
  max?: number;
  integer?: true;
}

export type NumberOptions = Readonly<Record<string, NumberOption>>;

type Numbers<Options extends NumberOptions> = {
  readonly [Name in keyof Options]: Options[Name] extends { default: number } ? number : number | undefined;
};

/** The options as a command lists them, each with its default. */
export function asOptions(options: NumberOptions): Record<string, CommandOption> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { about, value, default: preset }]) => [
      name,
      { type: 'string', value, about: preset === undefined ? about : `${about} (${preset})` },
    ]),
  );
}

/** @throws KedgeError `config-invalid` that names every option that is wrong */
export function readNumbers<Options extends NumberOptions>(
  options: Options,
  values: Context['values'],
): Numbers<Options> {
  const problems: string[] = [];
  const numbers = Object.entries(options).map(([name, option]) => {
    const text = values[name];
    if (text === undefined) return [name, option.default];
    const number = String(text).trim() === '' ? Number.NaN : Number(text);
    if (!isAllowed(number, option)) problems.push(`--${name} must be ${ruleOf(option)}, not '${text}'.`);
    return [name, number];
  });
  if (problems.length > 0) throw new KedgeError('config-invalid', problems.join('\n'));
  return Object.fromEntries(numbers) as Numbers<Options>;
}

function isAllowed(number: number, { min, max = Number.MAX_SAFE_INTEGER, integer }: NumberOption): boolean {
  return number >= min && number <= max && (!integer || Number.isInteger(number));
}

function ruleOf({ min, max, integer }: NumberOption): string {
  const kind = integer ? 'a whole number' : 'a number';
  return max === undefined ? `${kind} from ${min}` : `${kind} from ${min} to ${max}`;
}
