import { parseArgs } from 'node:util';
import { KedgeError } from '../contract/errors.ts';
import { describeSettings, type Environment } from '../platform/settings.ts';
import type { Command, CommandOption, Context } from './command.ts';

const HELP: CommandOption = { type: 'boolean', short: 'h', about: 'show this help' };

/** Parses the words of one command and runs it; `--help` answers without running. */
export async function runCommand(
  name: string,
  command: Command,
  words: readonly string[],
  io: Omit<Context, 'positionals' | 'values'>,
): Promise<number> {
  const options = { ...command.options, help: HELP };
  const { values, positionals } = parse(name, command, options, words);
  if (values['help']) {
    io.out.write(helpOf(name, command, options));
    return 0;
  }
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  if (positionals.length < min || positionals.length > max)
    throw usageError(name, command, 'a word is missing or too many');
  try {
    return (await command.run({ ...io, env: overlay(io.env, options, values), values, positionals })) ?? 0;
  } catch (error) {
    throw withOptions(error, options, values);
  }
}

/** Problems with settings name the variable; who gave an option instead looks for that. */
function withOptions(error: unknown, options: Record<string, CommandOption>, values: Context['values']): unknown {
  if (!(error instanceof KedgeError) || error.code !== 'config-invalid') return error;
  const used = Object.entries(options).filter(([key, { env }]) => env && values[key] !== undefined);
  const named = new Map(used.map(([key, { env }]) => [env!, `--${key} (${env})`]));
  const message = error.message.replace(/^KEDGE_\w+/gm, (name) => named.get(name) ?? name);
  return message === error.message ? error : new KedgeError('config-invalid', message, { cause: error });
}

function parse(name: string, command: Command, options: Record<string, CommandOption>, words: readonly string[]) {
  const forms = Object.entries(options).map(([key, { type, short, multiple = false }]) => [
    key,
    { type, multiple, ...(short && { short }) },
  ]);
  try {
    const parsed = parseArgs({ args: [...words], options: Object.fromEntries(forms), allowPositionals: true });
    return { values: parsed.values as Context['values'], positionals: parsed.positionals };
  } catch (error) {
    throw usageError(name, command, (error as Error).message.split('. ')[0]!);
  }
}

function usageError(name: string, command: Command, problem: string): KedgeError {
  return new KedgeError('config-invalid', `${problem}. Usage: kedge ${name} ${command.usage}`);
}

function overlay(env: Environment, options: Record<string, CommandOption>, values: Context['values']): Environment {
  const laid: Record<string, string | undefined> = { ...env };
  for (const [key, { env: setting }] of Object.entries(options)) {
    const value = values[key];
    if (setting && value !== undefined) laid[setting] = String(value);
  }
  return laid;
}

function helpOf(name: string, command: Command, options: Record<string, CommandOption>): string {
  const flags = Object.entries(options).map(([key, option]) => {
    const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : '';
    return [`${option.short ? `-${option.short}, ` : ''}--${key}${value}`, option.about] as const;
  });
  const settings = describeSettings(command.settings ?? {}).map(
    (setting) => [setting.env, `${setting.about}${setting.default ? ` (${setting.default})` : ''}`] as const,
  );
  const parts = [`Usage: kedge ${name} ${command.usage}`.trimEnd(), command.summary];
  if (command.about) parts.push(command.about);
  parts.push(`Options:\n${columns(flags)}`);
  if (settings.length > 0) parts.push(`Settings, from the environment:\n${columns(settings)}`);
  return `${parts.join('\n\n')}\n`;
}

/** Two columns, the first as wide as its widest entry. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
