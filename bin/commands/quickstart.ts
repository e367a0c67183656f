import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, INTERRUPTED } from '../command.ts';
import type { ChildProgram } from '../quickstart/programs.ts';
import { setOut, walkThrough } from '../quickstart/walk.ts';

export const command: Command = {
  summary: 'The whole loop on this machine: a history, a training, loader and server, a forecast beside what came.',
  usage: '[--once] [--dir FOLDER]',
  about: 'It stays up until Ctrl-C, and prints what to try next.',
  options: {
    once: {
      type: 'boolean',
      about: 'check the answers, roll forward once, refuse a broken file, and end',
    },
    dir: {
      type: 'string',
      value: 'FOLDER',
      about: 'where history, bucket, volume and logs go; kept afterwards (default: a folder that is removed)',
    },
  },
  async run(context) {
    const kept = context.values['dir'] as string | undefined;
    const dir = kept ?? (await mkdtemp(join(tmpdir(), 'kedge-quickstart-')));
    const programs: ChildProgram[] = [];
    try {
      await mkdir(dir, { recursive: true });
      await walkThrough(context, await setOut(context, dir, programs));
    } catch (error) {
      // Whatever fails once the user has broken off fails because of that.
      if (!context.signal.aborted) throw error;
      return INTERRUPTED;
    } finally {
      for (const program of programs.toReversed()) await program.stop();
      if (kept === undefined) await rm(dir, { recursive: true, force: true });
    }
    return 0;
  },
};
