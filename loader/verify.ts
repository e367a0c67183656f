import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MANIFEST_FILE } from '../contract/layout.ts';
import type { ManifestFile } from '../contract/manifest.ts';

const CHUNK = 1 << 20;

/** sha256 of a file, 64 hexadecimal digits. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * What is wrong with the files of a version in `dir`, as a clause; undefined where they are exactly those named, regular, with
 * one name each (another name would be another way to change them), of the right size and sha256. The manifest may lie beside.
 * @throws what the file system throws, a missing file or folder apart
 */
export async function findDamage(dir: string, files: readonly ManifestFile[]): Promise<string | undefined> {
  const present = await filesBelow(dir);
  if (!present) return 'its folder is missing';
  const named = new Set(files.map(({ path }) => path));
  const extra = present.find((path) => path !== MANIFEST_FILE && !named.has(path));
  if (extra !== undefined) return `a file '${extra}' is there that it does not name`;
  for (const { path, bytes } of files) {
    if (!present.includes(path)) return `'${path}' is missing`;
    const stat = await lstat(join(dir, path));
    if (!stat.isFile() || stat.nlink !== 1) return `'${path}' is no plain file with one name`;
    if (stat.size !== bytes) return `'${path}' has ${stat.size} bytes instead of ${bytes}`;
  }
  for (const { path, sha256 } of files) {
    if ((await hashFile(join(dir, path))) !== sha256) return `'${path}' has another sha256`;
  }
  return undefined;
}

/** Paths of all that is no folder, with forward slashes; undefined where `dir` is no folder. */
async function filesBelow(dir: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
