import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Catalog, catalogSchema } from '../contract/catalog.ts';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { parseJson, stringifyJson } from '../contract/json.ts';
import { CATALOG_FILE, MODELS_DIR, STAGING_DIR, versionDir } from '../contract/layout.ts';
import { isModelName, parseVersion } from '../contract/names.ts';
import { syncDir, syncTree, writeFileAtomic } from '../platform/atomic.ts';
import type { VolumeLock } from './lock.ts';
import { onVolume } from './volume-error.ts';

/** The places where a crash would leave the volume in another state. Tests stop a loader at each. */
export const STEPS = [
  'file-staged',
  'staged',
  'judged',
  'probed',
  'sealed',
  'in-place',
  'catalog-replaced',
  'set-aside',
  'removed',
] as const;
export type Step = (typeof STEPS)[number];
export type OnStep = (step: Step) => void;

export type ReadCatalog =
  | { status: 'ok'; catalog: Catalog }
  | { status: 'missing' }
  | { status: 'broken'; why: string };

/** Where a catalog that cannot be read is kept for whoever wants to know. */
export const BROKEN_CATALOG = 'catalog.broken.json';
/** Left by a crash in the middle of replacing a file. */
const TEMPORARY = /^\.[0-9a-f-]{36}\.tmp$/;

/**
 * The volume, as its only writer sees it. A version comes into place whole by one rename, after its bytes are on the disk; the
 * catalog is replaced after that, and before anything that it named is taken away. So at any moment everything that the
 * catalog names lies there, and what lies there without being named is of a loader that was killed in between.
 *
 * Every method throws KedgeError: `volume-failed` when the file system refuses, `volume-locked` when the lock was lost.
 */
export class Volume {
  readonly root: string;
  readonly #lock: VolumeLock;
  readonly #onStep: OnStep;

  constructor(root: string, lock: VolumeLock, onStep: OnStep) {
    this.root = root;
    this.#lock = lock;
    this.#onStep = onStep;
  }

  dirOf(model: string, version: number): string {
    return join(this.root, versionDir(model, version));
  }

  /** A new empty folder on the same file system, which nobody reads. */
  async stage(): Promise<string> {
    return this.#change('making a folder', () => makeFolders(this.root, STAGING_DIR, randomUUID()));
  }

  /** Removes a staged folder, or what is left of one; never throws, because the next start tidies too. */
  async discard(dir: string): Promise<void> {
    await removeTree(dir).catch(() => undefined);
  }

  /** Puts a staged folder into its place, read-only. What lay there was not vouched for, and goes. */
  async place(staged: string, model: string, version: number): Promise<void> {
    const target = this.dirOf(model, version);
    await this.#change(`placing ${model}/${version}`, async () => {
      await chmodTree(staged, 0o444, 0o555);
      await syncTree(staged);
      this.#onStep('sealed');
      // Sealing many bytes takes a while, so this is asked again.
      await this.#lock.assertHeld();
      await this.#takeAway(target);
      await makeFolders(this.root, MODELS_DIR, model);
      await this.#move(staged, target);
      await syncDir(join(this.root, MODELS_DIR));
    });
    this.#onStep('in-place');
  }

  /** Takes a version away. Only what the catalog on the volume does not name any more may be. */
  async remove(model: string, version: number): Promise<void> {
    const dir = this.dirOf(model, version);
    await this.#change(`removing ${model}/${version}`, async () => {
      await this.#takeAway(dir);
      // Fails where other versions are left, as it should.
      await rmdir(dirname(dir)).catch(() => undefined);
    });
  }

  async writeCatalog(catalog: Catalog): Promise<void> {
    const text = stringifyJson(catalog);
    await this.#change('writing the catalog', () => writeFileAtomic(join(this.root, CATALOG_FILE), text));
    this.#onStep('catalog-replaced');
  }

  readCatalog(): Promise<ReadCatalog> {
    return readCatalog(this.root);
  }

  /** Keeps a copy of a catalog that cannot be read; the original is left to be replaced. */
  async keepBrokenCatalog(): Promise<void> {
    await copyFile(join(this.root, CATALOG_FILE), join(this.root, BROKEN_CATALOG)).catch(() => undefined);
  }

  /** Removes what a loader that was killed left half done. */
  async tidy(): Promise<void> {
    await this.#change('removing what was left half done', async () => {
      await removeTree(join(this.root, STAGING_DIR));
      for (const name of await readdir(this.root)) if (TEMPORARY.test(name)) await rm(join(this.root, name));
    });
  }

  /** The versions that have a folder, whether the catalog names them or not. */
  async versions(): Promise<{ model: string; version: number }[]> {
    return onVolume('reading the volume', async () => {
      const models = (await namesIn(join(this.root, MODELS_DIR))).filter(isModelName);
      const found = models.map(async (model) =>
        (await namesIn(join(this.root, MODELS_DIR, model)))
          .map(parseVersion)
          .filter((version) => version !== undefined)
          .map((version) => ({ model, version })),
      );
      return (await Promise.all(found)).flat();
    });
  }

  /** Whether a version has its folder. */
  has(model: string, version: number): Promise<boolean> {
    return onVolume('reading the volume', () => exists(this.dirOf(model, version)));
  }

  freeBytes(): Promise<number> {
    return freeBytes(this.root);
  }

  step(step: Step): void {
    this.#onStep(step);
  }

  async #change<T>(doing: string, work: () => Promise<T>): Promise<T> {
    await this.#lock.assertHeld();
    return onVolume(doing, work);
  }

  /** Out of its place by one rename, then gone piece by piece. */
  async #takeAway(dir: string): Promise<void> {
    if (!(await exists(dir))) return;
    const aside = join(await makeFolders(this.root, STAGING_DIR), randomUUID());
    await this.#move(dir, aside);
    this.#onStep('set-aside');
    await removeTree(aside);
    this.#onStep('removed');
  }

  /** A folder that is read-only for its own user cannot be moved, since its `..` changes; so it is writable for that moment. */
  async #move(from: string, to: string): Promise<void> {
    await chmod(from, 0o755);
    await rename(from, to);
    await chmod(to, 0o555);
    await syncDir(dirname(to));
    await syncDir(dirname(from));
  }
}

/** Reads the catalog, also without the lock. @throws KedgeError `volume-failed` where the file cannot be read */
export async function readCatalog(root: string): Promise<ReadCatalog> {
  const text = await onVolume('reading the catalog', () =>
    readFile(join(root, CATALOG_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    }),
  );
  if (text === undefined) return { status: 'missing' };
  try {
    const parsed = catalogSchema.safeParse(parseJson(text));
    if (parsed.success) return { status: 'ok', catalog: parsed.data };
    const { path, message } = parsed.error.issues[0]!;
    return { status: 'broken', why: `${path.join('.')}: ${message}` };
  } catch (error) {
    return { status: 'broken', why: messageOf(error) };
  }
}

/** Space that is left, in bytes. @throws KedgeError `volume-failed` */
export async function freeBytes(root: string): Promise<number> {
  const { bavail, bsize } = await onVolume('asking for free space', () => statfs(root));
  return bavail * bsize;
}

/** Makes the folder of the volume where it is missing. @throws KedgeError `volume-failed` */
export async function ensureVolume(root: string): Promise<void> {
  await onVolume('making the volume', () => mkdir(root, { recursive: true }));
  if (!(await stat(root)).isDirectory()) throw new KedgeError('volume-failed', `${root} is no folder. Name another.`);
}

async function chmodTree(dir: string, fileMode: number, dirMode: number): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await chmodTree(path, fileMode, dirMode);
    else if (entry.isFile()) await chmod(path, fileMode);
  }
  await chmod(dir, dirMode);
}

/** `rm -r` that also takes read-only folders. */
async function removeTree(dir: string): Promise<void> {
  if (!(await exists(dir))) return;
  await makeFoldersWritable(dir);
  await rm(dir, { recursive: true, force: true });
}

async function makeFoldersWritable(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true }))
    if (entry.isDirectory()) await makeFoldersWritable(join(dir, entry.name));
}

/** One folder in another; `mkdir -p` would hide why it failed. @returns the innermost */
async function makeFolders(root: string, ...names: string[]): Promise<string> {
  let dir = root;
  for (const name of names) {
    dir = join(dir, name);
    await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return dir;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}
