import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process of that number lives; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !stat(pid)?.startsWith('Z');
}

/** The children of a process that live. Linux only. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => stat(child)?.split(' ')[1] === String(pid) && isAlive(child));
}

/** State, parent and all that follows in /proc/<pid>/stat; undefined where there is none. */
function stat(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2);
  } catch {
    return undefined;
  }
}

/** Looks until it holds. @throws Error after ten seconds */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 200; look++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to hold within ten seconds');
}
