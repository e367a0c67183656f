import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../read-text.ts';

/**
 * The text of a manifest: of a file, or of all that a folder holds, one after another.
 * @throws KedgeError `config-invalid` where it cannot be read
 */
export function readManifest(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return readText(path);
  const files = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  return files
    .sort()
    .map((name) => readText(join(path, name)))
    .join('\n---\n');
}
