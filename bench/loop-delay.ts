import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KedgeOptions } from './kedge-server.ts';

/** Starts a server so that its loop is watched. */
export const watchedLoop: Pick<KedgeOptions, 'nodeArgs' | 'ipc'> = {
  nodeArgs: ['--import', fileURLToPath(new URL('loop-watch.ts', import.meta.url))],
  ipc: true,
};

/** The longest time that the loop of a child stood still since this was last asked, in milliseconds. */
export async function longestStallMs(child: ChildProcess): Promise<number> {
  const told = once(child, 'message');
  child.send('how long');
  const [{ longestMs }] = (await told) as [{ longestMs: number }];
  return longestMs;
}
