import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, realpath, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KedgeError } from '../contract/errors.ts';
import { syncDir } from '../platform/atomic.ts';
import type { Clock } from '../platform/clock.ts';
import { readFileBody } from './directory-body.ts';
import { adviceOf, makeFolders, openFile, removeEmptyFolders, statFile, sweep } from './directory-files.ts';
import { withLock } from './directory-lock.ts';
import { etagOf, infoOf, isGone, walk } from './directory-walk.ts';
import { writeTemporary } from './directory-write.ts';
import { checkKey, checkRange, HIDDEN_DIR } from './keys.ts';
import type {
  GetOptions,
  GetResult,
  ObjectInfo,
  ObjectStore,
  PutBody,
  PutCondition,
  PutOptions,
} from './object-store.ts';

export interface DirectoryStoreOptions {
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  /** Objects on each page of a listing. */
  pageSize?: number;
}

/** Leftovers of killed writers are removed when they are this old. */
const LEFTOVER_MS = 24 * 3600_000;
/** A delete beside a put may take the folder away that the put just made. */
const FOLDER_ATTEMPTS = 20;

/**
 * A folder as a bucket, for one machine. Objects are whole files that come by rename or hard link from a hidden folder; what a
 * person copies in by hand may be seen half-written (`mayTear`). Symbolic links and special files are not there for it, so
 * nothing outside of the folder can be reached. Swaps and deletes hold a lock; create-only needs none, because a hard
 * link is never made over a file.
 */
export class DirectoryStore implements ObjectStore {
  readonly url: string;
  readonly mayTear = true;
  readonly #root: string;
  readonly #options: DirectoryStoreOptions;
  #swept = false;

  /** @param root absolute path of a folder that exists; it is never made, because a disk that is not mounted looks the same */
  constructor(root: string, options: DirectoryStoreOptions) {
    this.url = pathToFileURL(root).href;
    this.#root = root;
    this.#options = options;
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectInfo[]> {
    const found = await this.#explained(
      `listing '${prefix}'`,
      async () => walk(await this.#realRoot(), prefix, signal),
      signal,
    );
    const size = this.#options.pageSize ?? 1000;
    for (let start = 0; start < found.length; start += size) {
      signal?.throwIfAborted();
      yield found.slice(start, start + size);
    }
  }

  head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    return this.#explained(
      `asking for ${key}`,
      async () => {
        signal?.throwIfAborted();
        const path = await this.#pathOf(key);
        const stats = path && (await statFile(path));
        return stats ? infoOf(key, stats) : undefined;
      },
      signal,
    );
  }

  get(key: string, { ifNoneMatch, ifMatch, range, signal }: GetOptions = {}): Promise<GetResult> {
    return this.#explained(
      `reading ${key}`,
      async (): Promise<GetResult> => {
        signal?.throwIfAborted();
        const { offset: start, length } = range ? checkRange(range) : { offset: 0, length: undefined };
        const path = await this.#pathOf(key);
        const opened = path && (await openFile(path));
        if (!opened) return { status: 'missing' };
        const { handle, stats } = opened;
        const info = infoOf(key, stats);
        if (ifNoneMatch === info.etag) {
          await handle.close();
          return { status: 'not-modified' };
        }
        const changed = ifMatch !== undefined && ifMatch !== info.etag;
        if (changed || (range && start >= info.bytes)) {
          await handle.close();
          const what = changed ? 'was replaced while it was read' : `ends before byte ${start}`;
          throw new KedgeError('object-changed', `${path} ${what}. Read it again.`);
        }
        const end = Math.min(info.bytes, length === undefined ? info.bytes : start + length);
        return { status: 'ok', info, body: readFileBody(handle, { path, etag: info.etag, start, end, signal }) };
      },
      signal,
    );
  }

  put(key: string, body: PutBody, condition: PutCondition, options: PutOptions = {}): Promise<{ etag: string }> {
    const { signal } = options;
    return this.#explained(
      `writing ${key}`,
      async () => {
        signal?.throwIfAborted();
        checkKey(key);
        const root = await this.#realRoot();
        const temporary = await this.#newTemporary(root);
        try {
          await writeTemporary(temporary, body, options);
          if (!('create' in condition)) return await this.#swap(root, key, temporary, condition.ifMatch, signal);
          await this.#place(root, key, (path) => link(temporary, path));
          return { etag: etagOf(await lstat(temporary, { bigint: true })) };
        } finally {
          await rm(temporary, { force: true });
        }
      },
      signal,
    );
  }

  delete(key: string, { ifMatch, signal }: { ifMatch?: string; signal?: AbortSignal } = {}): Promise<void> {
    return this.#explained(
      `deleting ${key}`,
      async () => {
        const root = await this.#realRoot();
        const path = await this.#pathOf(key);
        if (!path || !(await statFile(path))) return;
        await this.#locked(root, signal, async () => {
          const stats = await statFile(path);
          if (!stats) return;
          if (ifMatch !== undefined && ifMatch !== etagOf(stats))
            throw new KedgeError('conflict', `${path} changed and was not deleted. Look at it again.`);
          await unlink(path);
          await removeEmptyFolders(dirname(path), root);
        });
      },
      signal,
    );
  }

  close(): void {}

  /** Replaces under the lock; the time of the file grows, so that its etag is new even within one tick of the clock. */
  #swap(
    root: string,
    key: string,
    temporary: string,
    ifMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ etag: string }> {
    return this.#locked(root, signal, async (held) => {
      const path = await this.#pathOf(key);
      const before = path === undefined ? undefined : await statFile(path);
      if (ifMatch !== undefined && (!before || etagOf(before) !== ifMatch))
        throw new KedgeError('conflict', `${join(root, key)} was changed by another.`);
      let now = await lstat(temporary, { bigint: true });
      if (before && now.mtimeNs <= before.mtimeNs) {
        const later = new Date(Number(before.mtimeMs) + 2);
        await utimes(temporary, later, later);
        now = await lstat(temporary, { bigint: true });
      }
      await this.#place(root, key, (target) => {
        if (!held()) throw new KedgeError('conflict', `the lock of ${root} was lost while writing ${key}. Try again.`);
        return rename(temporary, target);
      });
      return { etag: etagOf(now) };
    });
  }

  #locked<T>(root: string, signal: AbortSignal | undefined, action: (held: () => boolean) => Promise<T>): Promise<T> {
    const { clock, random } = this.#options;
    return withLock(join(root, HIDDEN_DIR), { clock, random, signal }, action);
  }

  /** Makes the folder of the key and puts the file there. */
  async #place(root: string, key: string, put: (path: string) => Promise<void>): Promise<void> {
    const folder = dirname(key);
    for (let attempt = 1; ; attempt++) {
      try {
        await makeFolders(root, folder);
        await put(join(root, key));
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENOTEMPTY')
          throw new KedgeError('conflict', `${join(root, key)} is already there.`, { cause: error });
        if (code !== 'ENOENT' || attempt >= FOLDER_ATTEMPTS) throw error;
      }
    }
    // The names of new folders must last as long as the file in them.
    for (let dir = folder; ; dir = dirname(dir)) {
      await syncDir(join(root, dir)).catch((error) => {
        if (!isGone(error)) throw error;
      });
      if (dir === '.') return;
    }
  }

  async #newTemporary(root: string): Promise<string> {
    const folder = join(root, HIDDEN_DIR, 'tmp');
    await mkdir(folder, { recursive: true });
    if (!this.#swept) {
      this.#swept = true;
      await sweep(folder, this.#options.clock.now() - LEFTOVER_MS);
    }
    return join(folder, randomUUID());
  }

  /** Where the key lies; undefined where a folder on the way is missing or a symbolic link. */
  async #pathOf(key: string): Promise<string | undefined> {
    const path = join(await this.#realRoot(), checkKey(key));
    const folder = await realpath(dirname(path)).catch((error) => {
      if (!isGone(error)) throw error;
      return undefined;
    });
    return folder === dirname(path) ? path : undefined;
  }

  async #realRoot(): Promise<string> {
    const root = await realpath(this.#root).catch(() => undefined);
    if (root && (await stat(root)).isDirectory()) return root;
    throw new KedgeError(
      'bucket-unreachable',
      `there is no folder ${this.#root}. Check KEDGE_BUCKET, mount it, or make it: mkdir -p ${this.#root}`,
    );
  }

  async #explained<T>(what: string, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof KedgeError || (signal?.aborted && error === signal.reason)) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      throw new KedgeError('bucket-unreachable', `${this.url}: ${what} failed: ${message}. ${adviceOf(code)}`, {
        cause: error,
        details: { reason: code ?? '' },
      });
    }
  }
}
