import { readFileSync } from 'node:fs';

/**
 * Resident memory that is this process's own, in bytes: what its end gives back. Pages of the program and its libraries, which all
 * hosts share, do not count where the system can tell (RssAnon of proc_pid_status(5)).
 */
export function ownBytes(): number {
  try {
    const [, kibibytes] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // Only Linux has it.
  }
  return process.memoryUsage.rss();
}
