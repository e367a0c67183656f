import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** Whether processes can be held to one core each: the server to the first, the load to the second. */
export function canPin(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface StartOptions {
  /** Held to this core; to none if absent. */
  core?: number | undefined;
  env?: Record<string, string>;
}

/** A child of Node. */
export function startNode(args: readonly string[], { core, env = {} }: StartOptions = {}): ChildProcess {
  const command = [process.execPath, ...args];
  const [program, ...rest] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  return spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin', ...env } });
}

/** The lines that a child writes. */
export function linesOf(child: ChildProcess, stream: 'stdout' | 'stderr' = 'stdout'): AsyncIterator<string> {
  return createInterface({ input: child[stream]! })[Symbol.asyncIterator]();
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** CPU seconds that a process and those under it took so far; undefined where /proc does not tell. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stats = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(Number(name)));
    const wanted = new Set([pid]);
    for (let before = 0; before < wanted.size; ) {
      before = wanted.size;
      for (const { id, parent } of stats) if (wanted.has(parent)) wanted.add(id);
    }
    return stats.filter(({ id }) => wanted.has(id)).reduce((sum, { ticks }) => sum + ticks, 0) / 100;
  } catch {
    return undefined;
  }
}

function statOf(id: number): { id: number; parent: number; ticks: number }[] {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return [{ id, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
  } catch {
    return [];
  }
}
