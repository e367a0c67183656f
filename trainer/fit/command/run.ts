import { type ChildProcess, spawn } from 'node:child_process';
import { KedgeError } from '../../../contract/errors.ts';

export interface RunCommandOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** From the polite signal to the one that cannot be caught. */
  graceMs?: number;
}

/** How much of the end of a command's output is shown when it fails. */
const TAIL = 4096;

/**
 * Runs a command to its end, in a process group of its own that is ended as a whole: at the time limit, on abort, and when this
 * process exits. Its standard output is drained and, like its standard error, kept for the message.
 * @throws KedgeError `fit-failed` where it cannot be started, fails or takes too long; the reason of the signal on abort
 */
export async function runToEnd(words: readonly string[], options: RunCommandOptions): Promise<void> {
  const { timeoutMs, signal, graceMs = 5000 } = options;
  signal?.throwIfAborted();
  const shown = words.join(' ');
  const child = spawn(words[0]!, words.slice(1), { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const tail = tailOf(child);
  const killer = endWhenAsked(child, graceMs);
  const onExit = (): void => killer.kill();
  process.once('exit', onExit);
  signal?.addEventListener('abort', killer.end, { once: true });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killer.end();
  }, timeoutMs);
  try {
    const ended = await endOf(child);
    // Whatever it started and left behind goes with it.
    killer.kill();
    signal?.throwIfAborted();
    if (late)
      throw new KedgeError(
        'fit-failed',
        `The command '${shown}' took longer than ${timeoutMs / 1000} s and was ended.${tail()}`,
      );
    if (ended instanceof Error)
      throw new KedgeError('fit-failed', `The command '${shown}' cannot be started: ${ended.message}.`, {
        cause: ended,
      });
    if (ended.code !== 0) {
      const how = ended.code === null ? `was ended by ${ended.signal}` : `failed with exit code ${ended.code}`;
      throw new KedgeError('fit-failed', `The command '${shown}' ${how}.${tail()}`);
    }
  } finally {
    clearTimeout(timer);
    killer.stop();
    process.removeListener('exit', onExit);
    signal?.removeEventListener('abort', killer.end);
  }
}

type Ended = { code: number | null; signal: NodeJS.Signals | null } | Error;

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', resolve);
    // Not 'close': a grandchild may hold the pipes open for ever.
    child.once('exit', (code, signal) => setImmediate(() => resolve({ code, signal })));
  });
}

function tailOf(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-TAIL);
    });
  }
  return () => (text.trim() === '' ? ' It wrote nothing.' : ` It wrote last:\n${text.trim()}`);
}

function endWhenAsked(child: ChildProcess, graceMs: number): { end: () => void; kill: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const send = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  };
  return {
    end: () => {
      send('SIGTERM');
      timer ??= setTimeout(() => send('SIGKILL'), graceMs);
    },
    kill: () => send('SIGKILL'),
    stop: () => clearTimeout(timer),
  };
}
