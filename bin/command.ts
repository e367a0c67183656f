import type { Environment, Settings } from '../platform/settings.ts';

/** The exit code that a shell reports for a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** A flag of a command. */
export interface CommandOption {
  type: 'string' | 'boolean';
  about: string;
  short?: string;
  /** May be given several times; its value is a list. */
  multiple?: true;
  /** What stands for the value in help: `--model NAME`. */
  value?: string;
  /** The setting that the flag stands for: its value is laid over the environment. */
  env?: string;
}

export interface Context {
  positionals: readonly string[];
  values: Readonly<Record<string, string | boolean | string[] | undefined>>;
  /** The environment, with the flags that stand for settings laid over it. Only a room's `config.ts` reads names from it. */
  env: Environment;
  /** Answers go here; progress and logs go to standard error. */
  out: NodeJS.WritableStream & { isTTY?: boolean };
  err: NodeJS.WritableStream & { isTTY?: boolean };
  /** Aborts on the first SIGINT or SIGTERM; a second one ends the process at once. */
  signal: AbortSignal;
}

/** One subcommand. Each lies in `bin/commands/NAME.ts` and exports `command`. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** What follows `kedge NAME`: `PATH --model NAME [--details FILE]`. */
  usage: string;
  /** More for `--help`: what it does to what, and an example. */
  about?: string;
  options?: Readonly<Record<string, CommandOption>>;
  /** How many words it takes besides flags. */
  positionals?: { min: number; max: number };
  /** The settings that it reads, for the table in `--help`. */
  settings?: Settings;
  /** @returns the exit code; 0 if nothing. @throws KedgeError, told in one line and turned into its exit code */
  run(context: Context): Promise<number | undefined>;
}
