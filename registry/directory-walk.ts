import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys, HIDDEN_DIR } from './keys.ts';
import type { ObjectInfo } from './object-store.ts';

/**
 * What a file looks like now. Two writes of the same length in one tick of the clock make equal times, so the inode is a part
 * of it; the store's own writes see to it that the time grows.
 */
export function etagOf(stats: BigIntStats): string {
  return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
}

export function infoOf(key: string, stats: BigIntStats): ObjectInfo {
  return { key, bytes: Number(stats.size), etag: etagOf(stats), modifiedAt: Number(stats.mtimeMs) };
}

export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * All regular files below `root` whose key begins with `prefix`, in the order of their keys. Symbolic links are not followed
 * and, like devices and pipes, not listed. A file that vanishes meanwhile is left out; any other error is thrown, so that a
 * folder that cannot be read is never taken for an empty one.
 */
export async function walk(root: string, prefix: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  const visit = async (dir: string): Promise<void> => {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(join(root, dir))) {
      const key = dir + entry.name;
      if (entry.isDirectory()) {
        const below = `${key}/`;
        if (key !== HIDDEN_DIR && (below.startsWith(prefix) || prefix.startsWith(below))) await visit(below);
      } else if (entry.isFile() && key.startsWith(prefix)) {
        const stats = await lstat(join(root, key), { bigint: true }).catch(ignoreGone);
        if (stats?.isFile()) found.push(infoOf(key, stats));
      }
    }
  };
  await visit('');
  return found.sort((a, b) => compareKeys(a.key, b.key));
}

async function entriesOf(dir: string) {
  return (await readdir(dir, { withFileTypes: true }).catch(ignoreGone)) ?? [];
}

function ignoreGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
  return undefined;
}
