import { KedgeError } from '../contract/errors.ts';

/** One environment variable. `parse` throws an Error whose message continues "KEDGE_X …", such as "must be …". */
export interface Setting<T> {
  env: string;
  about: string;
  /** As text, the way a person would write it. Without one the setting is required, or undefined if `optional`. */
  default?: string;
  /** Why an empty variable is refused; without it, it counts as absent. Continues "KEDGE_X is empty, …". */
  whenEmpty?: string;
  parse(text: string): T;
}

export type Settings = Record<string, Setting<unknown>>;
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a whole table of settings at once. An empty variable counts as absent, unless its setting refuses it.
 * @throws KedgeError `config-invalid` that names every problem, not the first alone
 */
export function readSettings<S extends Settings>(settings: S, env: Environment): Values<S> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    const text = env[setting.env] || setting.default;
    try {
      if (setting.whenEmpty !== undefined && env[setting.env] === '') throw new Error(`is empty, ${setting.whenEmpty}`);
      values[name] = text === undefined ? missing(setting) : setting.parse(text);
    } catch (error) {
      problems.push(`${setting.env} ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new KedgeError('config-invalid', problems.join('\n'));
  return values as Values<S>;
}

const OPTIONAL = Symbol('optional');

function missing(setting: Setting<unknown>): undefined {
  if (OPTIONAL in setting) return undefined;
  throw new Error(`is not set: ${setting.about}`);
}

type Options = { default?: string };

export function text(env: string, about: string, options: Options = {}): Setting<string> {
  return { env, about, ...options, parse: (value) => value };
}

export function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return Object.assign({}, setting, { [OPTIONAL]: true });
}

/** For what an empty variable, as of a secret that was never filled, must not turn off. @param why it is refused, and what to do */
export function notEmpty<T>(setting: Setting<T>, why: string): Setting<T> {
  return Object.assign({}, setting, { whenEmpty: why });
}

export function choice<T extends string>(
  env: string,
  about: string,
  choices: readonly T[],
  options: Options = {},
): Setting<T> {
  const parse = (value: string): T => {
    if ((choices as readonly string[]).includes(value)) return value as T;
    throw new Error(`must be one of ${choices.join(', ')}, not '${value}'`);
  };
  return { env, about, ...options, parse };
}

/** Comma-separated; blanks around the items do not count. */
export function list(env: string, about: string, options: Options = {}): Setting<string[]> {
  const parse = (value: string): string[] =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
  return { env, about, ...options, parse };
}

export interface NumberOptions extends Options {
  min: number;
  max: number;
}

export function integer(env: string, about: string, options: NumberOptions): Setting<number> {
  return { env, about, ...options, parse: (value) => inRange(value, options, /^-?\d+$/, 'a whole number') };
}

/** Seconds as a person writes them (fractions allowed), milliseconds as code uses them. */
export function seconds(env: string, about: string, options: NumberOptions): Setting<number> {
  const parse = (value: string): number => Math.round(inRange(value, options, /^\d+(\.\d+)?$/, 'seconds') * 1000);
  return { env, about, ...options, parse };
}

export function fraction(env: string, about: string, options: Options = {}): Setting<number> {
  const limits = { ...options, min: 0, max: 1 };
  return { env, about, ...options, parse: (value) => inRange(value, limits, /^\d*\.?\d+$/, 'a number') };
}

/** Mebibytes as a person writes them, bytes as code uses them. */
export function mebibytes(env: string, about: string, options: NumberOptions): Setting<number> {
  return { env, about, ...options, parse: (value) => inRange(value, options, /^\d+$/, 'whole mebibytes') * 2 ** 20 };
}

function inRange(value: string, { min, max }: NumberOptions, form: RegExp, what: string): number {
  if (/^tcp:\/\//.test(value)) {
    throw new Error(
      `is '${value}', which Kubernetes sets for a Service of that name: set enableServiceLinks: false in the pod`,
    );
  }
  const number = Number(value);
  if (form.test(value) && number >= min && number <= max) return number;
  throw new Error(`must be ${what} from ${min} to ${max}, not '${value}'`);
}

/** The table of settings for `--help` and the README: one row each. */
export function describeSettings(settings: Settings): { env: string; default: string; about: string }[] {
  return Object.values(settings).map((setting) => ({
    env: setting.env,
    default: setting.default ?? (OPTIONAL in setting ? '' : 'required'),
    about: setting.about,
  }));
}
