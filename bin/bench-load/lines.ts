import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { LoadInterval } from '../../bench/report/record.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Context } from '../command.ts';

export interface Lines {
  write(interval: LoadInterval): void;
  /** Resolves once all is written, or cannot be. @returns whether every line was */
  end(): Promise<boolean>;
}

/**
 * Each second of a run as a line of JSON. A file that can take no more, as where a disk is full, is told of at once, and ends no run.
 * @param file `-` is standard output; none if absent
 */
export function linesTo(file: string | undefined, { out, err }: Pick<Context, 'out' | 'err'>): Lines {
  if (file === undefined) return { write: () => undefined, end: () => Promise.resolve(true) };
  const text = (interval: LoadInterval): string => `${JSON.stringify(interval)}\n`;
  if (file === '-') {
    return { write: (interval) => void out.write(text(interval)), end: () => Promise.resolve(true) };
  }
  let whole = true;
  const stream = createWriteStream(file);
  stream.on('error', (error) => {
    if (whole) err.write(`--lines ${file} cannot be written any more: ${messageOf(error)}. The run goes on without.\n`);
    whole = false;
  });
  return {
    write: (interval) => {
      if (whole) stream.write(text(interval));
    },
    async end() {
      stream.end();
      await finished(stream).catch(() => undefined);
      return whole;
    },
  };
}
