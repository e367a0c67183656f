import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { LIFELINE_FD } from './host-entry.ts';

/** What the serving thread shares with the watching one. */
export interface WatchData {
  memoryLimitBytes: number;
  /** At {@link CALLS} how many calls came so far, at {@link UNDER_WAY} how many of them are not answered. */
  counters: Int32Array<SharedArrayBuffer>;
}

export const CALLS = 0;
export const UNDER_WAY = 1;

const POLL_MS = 20;

/**
 * Ends this process, whatever its serving thread is doing: when the lifeline closes, which the parent's death does, and
 * when more memory is resident than allowed. Of the latter the parent is told first.
 */
export function watchHost(): void {
  const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  lifeline.on('error', endProcess).on('close', endProcess).resume();
  void watchMemory(workerData as WatchData);
  parentPort!.postMessage('watching');
}

function endProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Looks while a call is under way, and sleeps without a timer while none is. */
async function watchMemory({ memoryLimitBytes, counters }: WatchData): Promise<never> {
  for (;;) {
    const calls = Atomics.load(counters, CALLS);
    if (Atomics.load(counters, UNDER_WAY) === 0) await Atomics.waitAsync(counters, CALLS, calls).value;
    const bytes = process.memoryUsage.rss();
    if (bytes > memoryLimitBytes) {
      try {
        writeSync(LIFELINE_FD, JSON.stringify({ memoryBytes: bytes }));
      } finally {
        endProcess();
      }
    }
    await sleep(POLL_MS);
  }
}
