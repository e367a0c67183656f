import { type Clock, systemClock } from '../platform/clock.ts';
import { readSettings } from '../platform/settings.ts';
import { bucketSettings, s3Environment } from '../registry/config.ts';
import type { WriteOptions } from '../registry/documents.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { openStore } from '../registry/open-store.ts';
import { type CommandOption, type Context, INTERRUPTED } from './command.ts';

/** What the commands on the bucket have in common. */

export const BUCKET_OPTION: CommandOption = {
  type: 'string',
  value: 'URL',
  about: 'the bucket, instead of KEDGE_BUCKET',
  env: bucketSettings.bucket.env,
};

export const JSON_OPTION: CommandOption = { type: 'boolean', about: 'answer in JSON' };

export interface Bucket {
  store: ObjectStore;
  write: WriteOptions & { clock: Clock; signal: AbortSignal };
}

/** Runs `action` on the bucket of the settings and closes it. */
export async function withBucket(
  context: Context,
  action: (bucket: Bucket) => Promise<number | undefined>,
): Promise<number | undefined> {
  const { bucket } = readSettings(bucketSettings, context.env);
  const store = openStore(bucket, { s3: s3Environment(context.env) });
  try {
    return await action({ store, write: { clock: systemClock, random: Math.random, signal: context.signal } });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    context.err.write('kedge: interrupted. kedge ls shows what is incomplete, and who may go on with it.\n');
    return INTERRUPTED;
  } finally {
    store.close();
  }
}

/** Rows under a head, each column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `2026-11-23 02:40:00Z`. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

export function writeNotes(context: Context, notes: readonly string[]): void {
  for (const note of notes) context.err.write(`note: ${note}\n`);
}

export function writeJson(context: Context, value: unknown): void {
  context.out.write(`${JSON.stringify(value, null, 2)}\n`);
}
