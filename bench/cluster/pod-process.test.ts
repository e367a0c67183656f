import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linesOf, startNode, stop } from '../processes.ts';
import { startServerProcess } from './pod-process.ts';

/** Processes start slowly on a busy machine. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const LONG = 120_000;

let volume: string;
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'kedge-pod-'));
});
afterEach(() => rmSync(volume, { recursive: true }));

/** A program that starts a pod and tells its id once that listens. */
const PARENT = `
const { startServerProcess } = await import(process.argv[1]);
const pod = startServerProcess(process.argv[2], {});
await pod.listening;
console.log(pod.pid);
setInterval(() => undefined, 1_000);
`;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it(
  'a pod does not outlive whoever started it, even one that is killed',
  async () => {
    const module = new URL('./pod-process.ts', import.meta.url).href;
    const parent = startNode(['--input-type=module', '--eval', PARENT, module, volume]);
    parent.stderr!.resume();
    const pid = Number((await linesOf(parent).next()).value);
    expect(isThere(pid)).toBe(true);
    try {
      await stop(parent, 'SIGKILL');
      await expect.poll(() => isThere(pid), PATIENCE).toBe(false);
    } finally {
      if (isThere(pid)) process.kill(pid, 'SIGKILL');
    }
  },
  LONG,
);

it(
  'a pod that got SIGTERM ends in order, with whoever started it still there',
  async () => {
    const pod = startServerProcess(volume, {});
    await pod.listening;
    pod.kill('SIGTERM');
    expect(await pod.exited).toEqual({ code: 0, signal: null });
  },
  LONG,
);
