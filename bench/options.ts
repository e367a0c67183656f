import { relative } from 'node:path';
import { parseArgs } from 'node:util';

type Options<T, Text extends string> = T & { [name in Text | 'json']: string | undefined };

/**
 * Options of a bench from the command line: numbers with their defaults, texts, and a file for the figures as JSON. With --help it prints the usage and
 * ends the process. @throws where an option is not known, or no number over 0
 */
export function readOptions<T extends Record<string, number>, Text extends string = never>(
  defaults: T,
  texts: readonly Text[] = [],
): Options<T, Text> {
  const options = parseOptions(process.argv.slice(2), defaults, texts);
  if (options !== 'help') return options;
  const file = relative(process.cwd(), process.argv[1]!);
  process.stdout.write(
    `${usageOf(`node ${file}`, defaults, texts)}What it measures, and how, stands at the head of that file.\n`,
  );
  process.exit();
}

export function parseOptions<T extends Record<string, number>, Text extends string = never>(
  args: readonly string[],
  defaults: T,
  texts: readonly Text[] = [],
): Options<T, Text> | 'help' {
  const text = { type: 'string' as const };
  const { help, ...values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries([...Object.keys(defaults), ...texts, 'json'].map((name) => [name, text])),
      help: { type: 'boolean' as const },
    },
  }).values as Record<string, string> & { help?: boolean };
  if (help) return 'help';
  const numbers = Object.entries(defaults).map(([name, value]) => {
    const number = Number(values[name] ?? value);
    if (!(number > 0)) throw new Error(`--${name} must be a number over 0`);
    return [name, number];
  });
  const given = [...texts, 'json'].map((name) => [name, values[name]]);
  return Object.fromEntries([...numbers, ...given]) as Options<T, Text>;
}

export function usageOf(program: string, defaults: Record<string, number>, texts: readonly string[]): string {
  const words = [
    ...Object.entries(defaults).map(([name, value]) => `[--${name} ${value}]`),
    ...texts.map((name) => `[--${name} TEXT]`),
  ];
  return `Usage: ${[program, ...words].join(' ')} [--json FILE]\n`;
}
