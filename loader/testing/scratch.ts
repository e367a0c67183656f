import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Scratch {
  dir: string;
  /** A new folder in it. */
  folder(name: string): string;
  remove(): void;
}

/** A folder for one test file, gone at its end, read-only folders in it included. */
export function createScratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'kedge-loader-'));
  return {
    dir,
    folder(name) {
      const path = join(dir, name);
      mkdirSync(path, { recursive: true });
      return path;
    },
    remove() {
      execFileSync('chmod', ['-R', 'u+rwX', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function writeTree(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

/** A file system of so many bytes at `dir`; undefined where this machine lets nobody mount one. */
export function mountSmall(dir: string, bytes: number): { unmount(): void } | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { unmount: () => void execFileSync('umount', [dir], { stdio: 'ignore' }) };
}
