import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KedgeOptions } from '../kedge-server.ts';

/** TypeScript beside this file in a clone, a bundle of its own beside the main one in the package. */
const WATCH = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? 'loop-watch.ts' : 'loop-watch.js', import.meta.url),
);

/** Starts a server so that its loop is watched. */
export const watchedLoop: Pick<KedgeOptions, 'nodeArgs' | 'ipc'> = {
  nodeArgs: ['--import', WATCH],
  ipc: true,
};

/** The longest time that the loop of a child stood still since this was last asked, in milliseconds. */
export async function longestStallMs(child: ChildProcess): Promise<number> {
  const told = once(child, 'message');
  child.send('how long');
  const [{ longestMs }] = (await told) as [{ longestMs: number }];
  return longestMs;
}
