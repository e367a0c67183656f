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

/** The core that a server is held to, and the one of the load; none where that cannot be done. */
export const cores: { server: number | undefined; load: number | undefined } = canPin()
  ? { server: 0, load: 1 }
  : { server: undefined, load: undefined };

export interface StartOptions {
  /** Held to this core; to none if absent. */
  core?: number | undefined;
  env?: Record<string, string>;
  /** A channel for messages, too. */
  ipc?: boolean;
}

/** A child of Node. */
export function startNode(args: readonly string[], options: StartOptions = {}): ChildProcess {
  return startProgram([process.execPath, ...args], options);
}

/** A child of any program. */
export function startProgram(
  command: readonly string[],
  { core, env = {}, ipc = false }: StartOptions = {},
): ChildProcess {
  const [program, ...rest] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  return spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    env: { PATH: '/usr/bin:/bin', ...env },
  });
}

/** The lines that a child writes. */
export function linesOf(child: ChildProcess, stream: 'stdout' | 'stderr' = 'stdout'): AsyncIterator<string> {
  return createInterface({ input: child[stream]! })[Symbol.asyncIterator]();
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** CPU seconds that a process and those under it took so far; undefined where /proc does not tell. */
export function cpuSeconds(pid: number): number | undefined {
  return usageOf([pid]).get(pid)?.cpuSeconds;
}

/** Resident bytes of a process and those under it, pages that they share counted for each; undefined where /proc does not tell. */
export function residentBytes(pid: number): number | undefined {
  return usageOf([pid]).get(pid)?.residentBytes;
}

export interface Usage {
  cpuSeconds: number;
  residentBytes: number;
}

/** What {@link cpuSeconds} and {@link residentBytes} tell, of several processes by one look at all; those that are not there are left out. */
export function usageOf(pids: readonly number[]): Map<number, Usage> {
  const stats = allStats();
  const there = new Set(stats.map(({ id }) => id));
  return new Map(
    pids
      .filter((pid) => there.has(pid))
      .map((pid) => {
        const own = treeOf(pid, stats);
        const sum = (amount: (stat: Stat) => number): number => own.reduce((total, stat) => total + amount(stat), 0);
        return [
          pid,
          {
            cpuSeconds: sum(({ ticks }) => ticks / TICKS_PER_SECOND),
            residentBytes: sum(({ pages }) => pages * PAGE_BYTES),
          },
        ];
      }),
  );
}

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

interface Stat {
  id: number;
  parent: number;
  ticks: number;
  pages: number;
}

function allStats(): Stat[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(Number(name)));
  } catch {
    return [];
  }
}

function treeOf(pid: number, stats: readonly Stat[]): Stat[] {
  const wanted = new Set([pid]);
  for (let before = 0; before < wanted.size; ) {
    before = wanted.size;
    for (const { id, parent } of stats) if (wanted.has(parent)) wanted.add(id);
  }
  return stats.filter(({ id }) => wanted.has(id));
}

/** proc(5), /proc/pid/stat; the fields after the name in parentheses. */
function statOf(id: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return [{ id, parent: fields[1]!, ticks: fields[11]! + fields[12]!, pages: fields[21]! }];
  } catch {
    return [];
  }
}
