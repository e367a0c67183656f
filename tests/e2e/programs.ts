import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The programs as a user runs them: processes of their own, told by environment and flags alone. */

const KEDGE = fileURLToPath(new URL('../../bin/kedge.ts', import.meta.url));

export type Env = Record<string, string>;

export interface Program {
  readonly child: ChildProcess;
  /** Everything it wrote to standard error so far. */
  log(): string;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export function startProgram(words: readonly string[], env: Env): Program {
  const child = spawn(process.execPath, [KEDGE, ...words], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    child,
    log: () => text,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
  };
}

export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

/** Runs one command to its end. */
export async function runKedge(words: readonly string[], env: Env): Promise<CommandResult> {
  const child = spawn(process.execPath, [KEDGE, ...words], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = { code: null as number | null, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    result.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    result.err += chunk;
  });
  [result.code] = (await once(child, 'close')) as [number | null];
  return result;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until `ask` answers something; the reason of the last failure is in the error. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false>,
  what: string,
  withinMs = 30_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  let last = 'it answered nothing';
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come about within ${withinMs} ms: ${last}`);
}
