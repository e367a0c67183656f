import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A process whose output goes to a file. */
export interface Logged {
  child: ChildProcess;
  /** Its last lines. */
  tail(): string;
  /** SIGTERM; SIGKILL after `graceMs`. */
  end(graceMs?: number): Promise<void>;
}

export function startLogged(
  program: string,
  words: readonly string[],
  log: string,
  env: Record<string, string> = {},
): Logged {
  const output = openSync(log, 'a');
  const child = spawn(program, words, {
    stdio: ['ignore', output, output],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  closeSync(output);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  return {
    child,
    tail: () => readFileSync(log, 'utf8').split('\n').slice(-15).join('\n'),
    async end(graceMs = 0) {
      process.off('exit', killNow);
      if (hasEnded(child)) return;
      const gone = once(child, 'exit');
      child.kill(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
      const timer = setTimeout(killNow, graceMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

export function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
