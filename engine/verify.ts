import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KedgeError, messageOf } from '../contract/errors.ts';
import type { ManifestFile } from '../contract/manifest.ts';
import type { LoadRequest } from './engine.ts';

/**
 * Holds what lies in the folder against what was vouched for: sizes first, then sha256, read in blocks.
 * @throws KedgeError `object-corrupt` for the first file that is missing or other than vouched for
 */
export async function verifyFiles({ name, dir, files }: Pick<LoadRequest, 'name' | 'dir' | 'files'>): Promise<void> {
  for (const file of files) {
    const found = await stat(join(dir, file.path)).catch((error: unknown) => {
      throw corrupt(name, file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`);
    });
    if (!found.isFile()) throw corrupt(name, file, 'is no regular file');
    if (found.size !== file.bytes) throw corrupt(name, file, `has ${found.size} bytes, expected ${file.bytes}`);
  }
  for (const file of files) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(dir, file.path)), hash).catch((error: unknown) => {
      throw corrupt(name, file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`);
    });
    const sha256 = hash.digest('hex');
    if (sha256 !== file.sha256) throw corrupt(name, file, `has sha256 ${sha256}, expected ${file.sha256}`);
  }
}

function corrupt(name: string, file: ManifestFile, problem: string): KedgeError {
  return new KedgeError('object-corrupt', `${file.path} of ${name} ${problem}. It must be fetched again.`);
}
