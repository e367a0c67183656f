import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLock } from './folder-lock.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A process of its own that takes the lock and keeps it. */
async function holder(): Promise<ChildProcess> {
  const module = new URL('./folder-lock.ts', import.meta.url).href;
  const code = `const { FolderLock } = await import(${JSON.stringify(module)});
    await FolderLock.take(${JSON.stringify(folder)}, ${NOW});
    console.log('taken');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

describe('a folder', () => {
  it('that another process has is told with its number, and is free once that is killed', async () => {
    const child = await holder();
    await expect(FolderLock.take(folder, NOW)).rejects.toMatchObject({
      code: 'database-locked',
      message: expect.stringContaining(`in use by process ${child.pid} since 2026-11-24T12:00:00.000Z`),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await FolderLock.take(folder, NOW);
    expect(await readFile(join(folder, 'holder.json'), 'utf8')).toContain(String(process.pid));
    lock.release();
  });

  it('is free again once released, and not before', async () => {
    const lock = await FolderLock.take(folder, NOW);
    await expect(FolderLock.take(folder, NOW)).rejects.toMatchObject({ code: 'database-locked' });
    lock.release();
    (await FolderLock.take(folder, NOW)).release();
  });

  it('whose holder cannot be read is in use by another process', async () => {
    const lock = await FolderLock.take(folder, NOW);
    await writeFile(join(folder, 'holder.json'), '');
    await expect(FolderLock.take(folder, NOW)).rejects.toThrow(/in use by another process\. One process/);
    lock.release();
  });

  it('that cannot be made is told', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(FolderLock.take(join(folder, 'file', 'inside'), NOW)).rejects.toMatchObject({
      code: 'database-failed',
      message: expect.stringMatching(/cannot be used: ENOTDIR/),
    });
  });
});
