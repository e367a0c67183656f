import { randomUUID } from 'node:crypto';
import { access, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { KedgeError } from '../contract/errors.ts';
import { volumeError } from './volume-error.ts';

const LOCK_DIR = '.loader.lock';
const OWNER = /^\.loader\.[0-9a-f-]{36}$/;

/** Often enough for another loader that was told the shortest staleness. */
const RENEW_MS = 1_000;

export interface LockOptions {
  /** After this silence a lock counts as left by a loader that died. */
  staleMs: number;
  /** Called once, when the lock is lost to another loader or to a long pause of this one. */
  onLost: (error: KedgeError) => void;
}

/**
 * One loader writes a volume. The lock is a folder whose time its holder renews. Beside it lies an empty file named after the
 * holder, which the next holder removes: a loader that slept past the staleness and does not know yet that it lost the lock
 * finds its file gone before it writes. (An empty file, because a full volume must not keep a loader from tidying it.)
 */
export class VolumeLock {
  readonly #owner: string;
  readonly #unlock: () => Promise<void>;
  #lost: KedgeError | undefined;

  private constructor(owner: string, unlock: () => Promise<void>) {
    this.#owner = owner;
    this.#unlock = unlock;
  }

  /** @returns undefined while another loader holds it. @throws KedgeError `volume-failed` */
  static async tryAcquire(root: string, { staleMs, onLost }: LockOptions): Promise<VolumeLock | undefined> {
    let lock: VolumeLock | undefined;
    const onCompromised = (error: Error): void => {
      const lost = lostError(error.message);
      if (lock) lock.#lost = lost;
      onLost(lost);
    };
    const name = `.loader.${randomUUID()}`;
    try {
      const lockfilePath = join(root, LOCK_DIR);
      const unlock = await lockfile.lock(root, { lockfilePath, stale: staleMs, update: RENEW_MS, onCompromised });
      lock = new VolumeLock(join(root, name), unlock);
      await writeFile(join(root, name), '');
      const others = (await readdir(root)).filter((entry) => OWNER.test(entry) && entry !== name);
      for (const other of others) await rm(join(root, other), { force: true });
      return lock;
    } catch (error) {
      if ((error as { code?: string }).code === 'ELOCKED') return undefined;
      await lock?.release();
      throw volumeError(error, 'taking the lock');
    }
  }

  /** To be called right before each change of the volume. @throws KedgeError `volume-locked` once the lock is lost */
  async assertHeld(): Promise<void> {
    if (this.#lost) throw this.#lost;
    try {
      await access(this.#owner);
    } catch {
      throw lostError('another loader took it over');
    }
  }

  async release(): Promise<void> {
    if (this.#lost) return;
    this.#lost = lostError('it was released');
    await rm(this.#owner, { force: true }).catch(() => undefined);
    await this.#unlock().catch(() => undefined);
  }
}

function lostError(why: string): KedgeError {
  return new KedgeError('volume-locked', `The lock of the volume is lost: ${why}. Run one loader for each volume.`);
}
