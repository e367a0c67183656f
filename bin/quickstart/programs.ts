import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { KedgeError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Environment } from '../../platform/settings.ts';

export interface ChildProgram {
  readonly name: string;
  readonly logFile: string;
  /** Once it has ended, for whatever reason, and its log is written. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  /** @throws KedgeError when it has ended by itself, with the end of its log */
  check(): void;
}

/** Starts `kedge NAME` as a process of its own, the way it would run in a pod; what it logs goes to a file. */
export function startProgram(name: string, dir: string, env: Environment): ChildProgram {
  const logFile = join(dir, `${name}.log`);
  const child: ChildProcess = spawn(process.execPath, [process.argv[1]!, name], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(logFile);
  child.stdout!.pipe(log, { end: false });
  child.stderr!.pipe(log, { end: false });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => log.end(resolve));
  });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    logFile,
    ended: closed,
    async stop() {
      if (ended()) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
    check() {
      if (!ended()) return;
      const tail = readFileSync(logFile, 'utf8').split('\n').slice(-6).join('\n');
      throw new KedgeError(
        'internal',
        `kedge ${name} ended with ${child.exitCode ?? child.signalCode}; its log ends:\n${tail}`,
      );
    },
  };
}

/** Waits for the user to break off. @throws KedgeError when one of the programs ends before, with the end of its log */
export async function untilBrokenOff(programs: readonly ChildProgram[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([aborted, ...programs.map(({ ended }) => ended)]);
  // Ctrl-C in a terminal reaches the programs too, and they may end because of it.
  if (signal.aborted) return;
  for (const program of programs) program.check();
}

/** The wanted port if it is free, else any free one, so that a second quickstart runs beside the first. */
export async function takePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    if (!listening) continue;
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address !== null && typeof address === 'object') return address.port;
  }
  throw new KedgeError('config-invalid', 'no free port on this machine');
}

export interface WaitOptions {
  clock: Clock;
  signal: AbortSignal;
  withinMs: number;
  /** Asked each time, so that a program that died is told at once. */
  programs: readonly ChildProgram[];
}

/** Asks until the answer is there. @throws KedgeError when time is up, a program ended, or the user broke off */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  { clock, signal, withinMs, programs }: WaitOptions,
): Promise<T> {
  const end = clock.now() + withinMs;
  while (clock.now() < end) {
    if (signal.aborted) throw new KedgeError('shutting-down', 'broken off');
    for (const program of programs) program.check();
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await clock.sleep(100, signal);
  }
  const logs = programs.map(({ logFile }) => logFile).join(' and ');
  throw new KedgeError('model-not-ready', `${what} did not come about within ${withinMs / 1000} s; see ${logs}.`);
}
