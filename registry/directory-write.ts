import { type FileHandle, open } from 'node:fs/promises';
import { KedgeError, messageOf } from '../contract/errors.ts';
import type { PutBody, PutOptions } from './object-store.ts';

const CHUNK_BYTES = 2 ** 20;

/** Writes a new file whole and makes it last. */
export async function writeTemporary(path: string, body: PutBody, options: PutOptions): Promise<void> {
  const target = await open(path, 'wx', 0o644);
  try {
    if (body instanceof Uint8Array) {
      await target.writeFile(body, options.signal ? { signal: options.signal } : {});
      options.onProgress?.(body.byteLength);
    } else await copy(body, target, options);
    await target.sync();
  } finally {
    await target.close();
  }
}

async function copy(
  { file, bytes }: { file: string; bytes: number },
  target: FileHandle,
  { signal, onProgress }: PutOptions,
): Promise<void> {
  const source = await open(file, 'r').catch((error) => {
    throw new KedgeError('source-invalid', `${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  });
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let copied = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, buffer.length, copied);
      if (bytesRead === 0) break;
      await target.writeFile(buffer.subarray(0, bytesRead));
      copied += bytesRead;
      onProgress?.(copied);
    }
    if (copied !== bytes)
      throw new KedgeError(
        'object-changed',
        `${file} changed while it was published: it had ${bytes} bytes, now ${copied}.`,
      );
  } finally {
    await source.close();
  }
}
