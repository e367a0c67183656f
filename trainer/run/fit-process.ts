import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ERRORS, type ErrorCode, KedgeError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { fitEnvironment } from '../config.ts';
import { FIT_ENTRY, type FitMessage, type FitOrder, type FitResult } from './fit-entry.ts';

export interface FitProcessOptions {
  clock: Clock;
  /** The process is ended at it. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** From 0 to 1. */
  onProgress?(done: number): void;
  onStart?(pid: number): void;
}

const STDERR_TAIL = 2_048;

/**
 * A fit takes one core. Where V8 compiles and collects garbage on threads beside it, as it does by default, a fit of a second or two takes a third of another
 * core, and as many fits as there are cores get in each other's way: two at once on two cores made 1.3 times what one made, and 1.9 times with these.
 */
const ONE_CORE = ['--no-concurrent-recompilation', '--single-threaded-gc'];

/**
 * Fits in a process of its own: the loop here stays free to renew leases, a crash or a lack of memory there ends nothing here, and
 * a fit that hangs is ended at its limit, with whatever it started.
 * @throws KedgeError `fit-timeout`, `fit-crashed`, or what the fit itself said; the reason of `signal` after an abort
 */
export async function fitInProcess(order: FitOrder, options: FitProcessOptions): Promise<FitResult> {
  const { clock, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const start = clock.now();
  const child = spawn(process.execPath, [...ONE_CORE, fileURLToPath(FIT_ENTRY)], {
    // A group of its own, to be ended whole.
    detached: true,
    env: fitEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const exited = once(child, 'close').catch(() => undefined);
  let answer: FitMessage | undefined;
  let tail = '';
  let late = false;
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-STDERR_TAIL);
  });
  child.on('message', (message: FitMessage) => {
    if (message.kind === 'progress') options.onProgress?.(message.done);
    else answer ??= message;
  });
  const done = new AbortController();
  const stop = (): void => endGroup(child);
  signal?.addEventListener('abort', stop);
  const limit = clock.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return;
    late = true;
    stop();
  });
  try {
    if (child.pid !== undefined) options.onStart?.(child.pid);
    child.send(order, () => undefined);
    await exited;
  } finally {
    signal?.removeEventListener('abort', stop);
    done.abort();
    await limit;
    // Commands that outlived the fit.
    stop();
  }
  signal?.throwIfAborted();
  if (answer?.kind === 'done') return { ...answer.result, cost: { ...answer.cost, ms: clock.now() - start } };
  if (answer?.kind === 'failed') throw new KedgeError(codeOf(answer.code), answer.message);
  if (late) {
    const limitText = `${timeoutMs / 1000} s`;
    throw new KedgeError('fit-timeout', `The fit took longer than its limit of ${limitText} and was ended.`);
  }
  throw new KedgeError(
    'fit-crashed',
    `The process of the fit ended ${howItEnded(child)}.${tail ? ` It said: ${tail}` : ''}`,
  );
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function howItEnded({ exitCode, signalCode, pid }: ChildProcess): string {
  if (pid === undefined) return 'before it began: it could not be started';
  if (signalCode === 'SIGKILL') return 'by SIGKILL: the machine or the pod may be out of memory';
  return signalCode ? `by ${signalCode}` : `with exit code ${exitCode} and no answer`;
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'fit-failed';
}
