import { readFile } from 'node:fs/promises';
import { messageOf } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';

/** How often files are read again, in milliseconds. Reading bears every way of replacing them, as secrets on a volume have it. */
export const REREAD_MS = 2_000;

export interface WatchedFilesOptions {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/**
 * Reads files, and again whenever their bytes change, until the signal aborts. What cannot be read or taken later on is told in the log, and what was taken
 * before stays in force.
 * @param take @throws Error for what it does not take
 * @throws what the first reading throws
 */
export async function watchFiles(
  paths: readonly string[],
  take: (contents: Buffer[]) => void,
  { clock, log, signal }: WatchedFilesOptions,
): Promise<void> {
  const read = (): Promise<Buffer[]> => Promise.all(paths.map((path) => readFile(path)));
  let seen = await read();
  take(seen);
  let told = '';
  const poll = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(REREAD_MS, signal);
      if (signal.aborted) return;
      try {
        const contents = await read();
        if (contents.every((content, index) => content.equals(seen[index]!))) continue;
        take(contents);
        seen = contents;
        told = '';
        log.info({ files: paths }, 'files changed and were read again');
      } catch (error) {
        const message = messageOf(error);
        if (message !== told) log.warn({ files: paths }, `${message}. What was read before stays in force.`);
        told = message;
      }
    }
  };
  void poll();
}
