import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';

/**
 * One process has a folder. PGlite takes no lock of its own, and two of them would ruin each other's files. The lock is one
 * that the kernel holds and gives back when its process dies, however it dies: nothing is left to be tidied up, no process
 * number to be mistaken for another's, and no time after which a busy holder would count as dead. Node has no call for such a
 * lock; SQLite, which is part of Node, takes one on its file.
 */
export class FolderLock {
  readonly #file: DatabaseSync;

  private constructor(file: DatabaseSync) {
    this.#file = file;
  }

  /** @throws KedgeError `database-locked` that tells who has it, `database-failed` where the folder cannot be written */
  static async take(folder: string, now: number): Promise<FolderLock> {
    const holder = join(folder, 'holder.json');
    let file: DatabaseSync | undefined;
    try {
      await mkdir(folder, { recursive: true });
      file = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
      file.exec('pragma locking_mode = exclusive; begin exclusive');
      await writeFile(holder, JSON.stringify({ pid: process.pid, since: new Date(now).toISOString() }));
      return new FolderLock(file);
    } catch (error) {
      file?.close();
      if (!/database is locked/.test(messageOf(error))) {
        throw new KedgeError('database-failed', `The history folder ${folder} cannot be used: ${messageOf(error)}.`, {
          cause: error,
        });
      }
      throw new KedgeError(
        'database-locked',
        `The history folder ${folder} is in use by ${await holderOf(holder)}. One process at a time can open it: wait until that one ends, or keep the history in Postgres (DATABASE_URL).`,
      );
    }
  }

  release(): void {
    this.#file.close();
  }
}

/** The file is written after the lock is taken, so it may be absent or name an earlier holder for a moment. */
async function holderOf(file: string): Promise<string> {
  try {
    const { pid, since } = parseJson(await readFile(file, 'utf8')) as { pid: number; since: string };
    return `process ${pid} since ${since}`;
  } catch {
    return 'another process';
  }
}
