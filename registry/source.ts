import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { CLAIM_FILE, MANIFEST_FILE, MODEL_FILE } from '../contract/layout.ts';
import type { ManifestFile } from '../contract/manifest.ts';
import { isSafePath } from '../contract/names.ts';
import { type HeadResult, readHead } from '../contract/onnx/head.ts';

export interface SourceFile {
  /** Inside of the version: `model.onnx`, or as the graph names its external data. */
  path: string;
  /** On this machine. */
  file: string;
  bytes: number;
  /** Changes when the file does. */
  mark: string;
}

/** A model on this machine, as it would be published. */
export interface Source {
  head: HeadResult;
  /** model.onnx first, then the external data that the graph names and that is there. */
  files: SourceFile[];
  /** What else lies in the folder that was given: it is not published. */
  leftOut: string[];
}

/**
 * Looks at what is to be published: a file, or a folder that holds model.onnx. Only the file and the external data that its
 * graph names belong to the version; whether all of that is there is for `admit` to judge.
 * @throws KedgeError `source-invalid` where there is no such file
 */
export async function readSource(source: string): Promise<Source> {
  const isFolder = (await statOf(source)).isDirectory();
  const model = isFolder ? join(source, MODEL_FILE) : source;
  if (isFolder) await checkModelFile(source);
  const first = await sourceFile(MODEL_FILE, model);
  const head = await readLocalHead(model, first.bytes);
  const files = [first];
  for (const path of head.ok ? externalPaths(head.head.external) : []) {
    const file = join(dirname(model), path);
    if (path === CLAIM_FILE || path === MANIFEST_FILE)
      throw invalid(
        `the graph of ${model} keeps its data in ${path}, a name that Kedge needs. Save it under another name.`,
      );
    const found = await sourceFile(path, file).catch(() => undefined);
    if (found) files.push(found);
  }
  return { head, files, leftOut: isFolder ? await leftOut(source, files) : [] };
}

function externalPaths(external: readonly { location: string }[]): string[] {
  const paths = new Set(external.map(({ location }) => location.replace(/^(\.\/)+/, '')).filter(isSafePath));
  paths.delete(MODEL_FILE);
  return [...paths].sort();
}

async function checkModelFile(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.includes(MODEL_FILE)) return;
  const others = names.filter((name) => name.endsWith('.onnx'));
  const found = names.length === 0 ? 'it is empty' : `found ${names.slice(0, 8).join(', ')}`;
  const advice = others.length > 0 ? ` Rename the model, or publish it alone: ${join(folder, others[0]!)}` : '';
  throw invalid(`${folder} holds no ${MODEL_FILE}: ${found}.${advice}`);
}

async function readLocalHead(file: string, bytes: number): Promise<HeadResult> {
  const handle = await openFile(file);
  try {
    return await readHead(bytes, async (offset, length) => {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await handle.close();
  }
}

async function leftOut(folder: string, files: readonly SourceFile[]): Promise<string[]> {
  const taken = new Set(files.map(({ path }) => path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
    .filter((path) => !taken.has(path))
    .sort();
}

async function sourceFile(path: string, file: string): Promise<SourceFile> {
  const stats = await statOf(file);
  if (!stats.isFile()) throw invalid(`${file} is no file.`);
  return { path, file, bytes: stats.size, mark: `${stats.mtimeMs}-${stats.size}-${stats.ino}` };
}

/** sha256 of every file, read as a stream. `onProgress` gets all bytes read so far. */
export async function hashFiles(
  files: readonly SourceFile[],
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: (bytes: number) => void } = {},
): Promise<ManifestFile[]> {
  const hashed: ManifestFile[] = [];
  let read = 0;
  for (const { path, file, bytes } of files) {
    const hash = createHash('sha256');
    const handle = await openFile(file);
    try {
      for await (const chunk of handle.createReadStream({ highWaterMark: 2 ** 20, ...(signal && { signal }) })) {
        hash.update(chunk);
        read += chunk.length;
        onProgress?.(read);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw invalid(`${file} cannot be read: ${messageOf(error)}.`, error);
    } finally {
      await handle.close();
    }
    hashed.push({ path, bytes, sha256: hash.digest('hex') });
  }
  return hashed;
}

/** @throws KedgeError `object-changed` for a file that is not the one that was hashed */
export async function checkUnchanged(files: readonly SourceFile[]): Promise<void> {
  for (const { path, file, mark } of files)
    if ((await sourceFile(path, file)).mark !== mark)
      throw new KedgeError('object-changed', `${file} changed while it was published. Publish it again when it rests.`);
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}.`, error);
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw invalid(`${file} cannot be read: ${messageOf(error)}.`, error);
  }
}

export function invalid(message: string, cause?: unknown): KedgeError {
  return new KedgeError('source-invalid', message, cause === undefined ? {} : { cause });
}
