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
 * Each second of a run as a line of JSON. What can take no more, as where a disk is full or a reader has gone, is told of at once, and ends no run.
 * @param file `-` is standard output; none if absent
 */
export function linesTo(file: string | undefined, { out, err }: Pick<Context, 'out' | 'err'>): Lines {
  if (file === undefined) return { write: () => undefined, end: () => Promise.resolve(true) };
  const stream: NodeJS.WritableStream = file === '-' ? out : createWriteStream(file);
  let whole = true;
  stream.on('error', (error) => {
    if (whole) err.write(`--lines ${file} cannot be written any more: ${messageOf(error)}. The run goes on without.\n`);
    whole = false;
  });
  return {
    write: (interval) => {
      if (whole) stream.write(`${JSON.stringify(interval)}\n`);
    },
    async end() {
      // Others may still write to standard output: it is only waited for.
      if (whole && stream === out) await new Promise((resolve) => stream.write('', resolve));
      if (stream !== out) await finished(stream.end()).catch(() => undefined);
      return whole;
    },
  };
}
