import { parseArgs } from 'node:util';

/** Options of a bench with their defaults: numbers, and a file for the figures as JSON. */
export function readOptions<T extends Record<string, number>>(defaults: T): T & { json: string | undefined } {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string' as const, default: String(value) }]),
  );
  const { json, ...values } = parseArgs({ options: { ...options, json: { type: 'string' } } }).values;
  const numbers = Object.entries(values).map(([name, value]) => {
    if (!(Number(value) > 0)) throw new Error(`--${name} must be a number over 0`);
    return [name, Number(value)] as const;
  });
  return { ...(Object.fromEntries(numbers) as T), json: json as string | undefined };
}
