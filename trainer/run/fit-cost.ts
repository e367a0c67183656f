import { readdirSync, readFileSync } from 'node:fs';
import type { FitCost } from './fit-entry.ts';

/** A command may grow within that time before its end without being seen. */
const SAMPLE_MS = 100;

/**
 * Watches what this process takes, with the commands that it starts. Node tells of no children, so Linux is asked: their high-water marks are looked at while the loop
 * here is free, which it is as long as one waits for a command.
 */
export function watchCost(): () => Omit<FitCost, 'ms'> {
  let peak = 0;
  const sample = (): void => {
    const children = descendants(process.pid);
    if (children.length === 0) return;
    const marks = children.map((pid) => statusOf(pid, 'VmHWM') ?? 0);
    peak = Math.max(
      peak,
      marks.reduce((sum, mark) => sum + mark, statusOf(process.pid, 'VmRSS') ?? 0),
    );
  };
  const timer = setInterval(sample, SAMPLE_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    sample();
    // Not what getrusage tells, which is never below what the parent had when it started this process (Linux, fs/exec.c).
    const own = statusOf(process.pid, 'VmHWM') ?? process.resourceUsage().maxRSS * 1024;
    return { cpuMs: cpuMs(), peakBytes: Math.max(own, peak) };
  };
}

/** Those that a process started, and those that they did; none where Linux does not list them. */
function descendants(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) => {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    });
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** Bytes; see proc(5). */
function statusOf(pid: number, what: 'VmHWM' | 'VmRSS'): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}

const MS_PER_TICK = 10;

/** Of this process, and of its children that ended: utime, stime, cutime and cstime of proc(5). */
function cpuMs(): number {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const own = Math.round((userCPUTime + systemCPUTime) / 1000);
  try {
    const text = readFileSync('/proc/self/stat', 'latin1');
    // The name in parentheses may hold blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return own + MS_PER_TICK * (Number(fields[13]) + Number(fields[14]));
  } catch {
    return own;
  }
}
