import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KedgeError } from '../contract/errors.ts';
import { syncDir } from '../platform/atomic.ts';
import { isGone } from './directory-walk.ts';

const NO_FOLLOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What to do about an error of the file system. */
export function adviceOf(code: string | undefined): string {
  if (code === 'EACCES' || code === 'EPERM') return 'Check the owner and the mode of the folder.';
  if (code === 'EROFS') return 'The file system is mounted read-only.';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Make room on the disk.';
  return 'Check the disk.';
}

/** Of a regular file; undefined for what is missing or something else. */
export async function statFile(path: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A regular file, open; undefined for what is missing or something else. A pipe does not block, a link is not followed. */
export async function openFile(path: string): Promise<{ handle: FileHandle; stats: BigIntStats } | undefined> {
  try {
    const handle = await open(path, NO_FOLLOW);
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, stats };
    await handle.close();
    return undefined;
  } catch (error) {
    // ELOOP: a symbolic link. ENXIO: a socket or a pipe.
    const { code } = error as NodeJS.ErrnoException;
    if (isGone(error) || code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw error;
  }
}

/** Makes the folders on the way to `folder`, one by one, because making them at once would go through a symbolic link. */
export async function makeFolders(root: string, folder: string): Promise<void> {
  let at = root;
  for (const name of folder === '.' ? [] : folder.split('/')) {
    at = join(at, name);
    await mkdir(at).catch(async (error) => {
      if (error.code !== 'EEXIST') throw error;
      if ((await lstat(at)).isSymbolicLink())
        throw new KedgeError('path-invalid', `${at} is a symbolic link, which nothing is written through. Remove it.`);
    });
  }
}

/** A folder without files is none in a bucket. */
export async function removeEmptyFolders(dir: string, root: string): Promise<void> {
  for (let at = dir; at !== root; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      break;
    }
  }
  await syncDir(root);
}

/** Removes files that are older than `before`, in milliseconds since the epoch. */
export async function sweep(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats && stats.mtimeMs < before) await rm(path, { force: true });
  }
}
