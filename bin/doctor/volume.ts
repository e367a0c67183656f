import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { freeBytes, readCatalog } from '../../loader/volume.ts';
import { syncDir, writeFileAtomic } from '../../platform/atomic.ts';
import { sizeText } from '../bucket.ts';
import { type Finding, Findings } from './finding.ts';

/** File systems that tell no machine of what another one writes (linux/magic.h). */
const POLLED: Record<number, string> = {
  26985: 'NFS',
  1702057286: 'FUSE',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9P',
};
const TMPFS = 0x01021994;
/** An fsync that takes longer holds up each version by as many files as it has. */
const SLOW_MS = 500;

export interface VolumeCheckOptions {
  /** Try rename and fsync in a folder of its own, which is removed again. */
  write: boolean;
  /** Milliseconds of a clock that only goes forward. */
  elapsed: () => number;
}

/** Whether the folder does what the loader asks of it: to be written by one, renames that show whole, fsync. */
export async function checkVolume(folder: string, { write, elapsed }: VolumeCheckOptions): Promise<Finding[]> {
  const found = new Findings('volume');
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error('it is no folder');
    await access(folder, constants.R_OK | constants.X_OK);
    await readdir(folder);
  } catch (error) {
    found.failed(
      error,
      folder,
      'Mount a volume there, readable for this user (fsGroup in the pod), or name another in KEDGE_VOLUME.',
    );
    return found.list;
  }
  await tellFileSystem(folder, found);
  await tellCatalog(folder, found);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  const user = `user ${process.getuid?.() ?? '?'}`;
  if (!writable)
    found.note(
      `${folder} is read-only for ${user}`,
      'Right for a server; a loader must write it (fsGroup in the pod).',
    );
  else if (!write)
    found.note(`${folder} may be written by ${user}; rename and fsync were not tried`, '--write tries them.');
  else await tryWrites(folder, elapsed, found);
  return found.list;
}

async function tellFileSystem(folder: string, found: Findings): Promise<void> {
  const { type } = await statfs(folder);
  const free = await freeBytes(folder);
  if (free < 256 * 2 ** 20)
    found.warn(`${sizeText(free)} free`, 'Give it more room, or keep fewer versions (KEDGE_KEEP).');
  else found.good(`${sizeText(free)} free`);
  const polled = POLLED[type];
  if (polled)
    found.note(
      `${polled}: no event tells of what another machine writes`,
      'Servers look every KEDGE_CATALOG_POLL_SECONDS.',
    );
  if (type === TMPFS) found.note('it is memory', 'What lies there counts as memory of the pod.');
}

async function tellCatalog(folder: string, found: Findings): Promise<void> {
  try {
    const read = await readCatalog(folder);
    if (read.status === 'missing')
      found.note('there is no catalog yet', 'A loader that found a model writes it: kedge load.');
    else if (read.status === 'broken')
      found.bad(`the catalog cannot be read: ${read.why}`, 'A loader of this release writes it anew.');
    else found.good(`the catalog names ${read.catalog.models.length} models`);
  } catch (error) {
    found.failed(error, 'the catalog');
  }
}

async function tryWrites(folder: string, elapsed: () => number, found: Findings): Promise<void> {
  const scratch = join(folder, `.doctor-${randomUUID()}`);
  try {
    await mkdir(join(scratch, 'a'), { recursive: true });
    const start = elapsed();
    await writeFileAtomic(join(scratch, 'a', 'file'), 'first');
    await writeFileAtomic(join(scratch, 'a', 'file'), 'second');
    const each = (elapsed() - start) / 2;
    await rename(join(scratch, 'a'), join(scratch, 'b'));
    await syncDir(scratch);
    await stat(join(scratch, 'b', 'file'));
    const sentence = `files and folders are renamed in place; write and fsync take ${each.toFixed(0)} ms`;
    if (each > SLOW_MS)
      found.warn(sentence, 'Take a faster disk: a version is there only once all of its files are on it.');
    else found.good(sentence);
  } catch (error) {
    found.failed(error, 'writing', 'The loader wants a file system with rename and fsync, and the right to write.');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
