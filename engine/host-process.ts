import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { KedgeError, messageOf } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { hostEnvironment } from './config.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { decodeAnswer, encodeCall, type HostAnswer, type HostCall } from './host-calls.ts';
import { type Death, deathError, describeDeath } from './host-death.ts';
import { HOST_ENTRY } from './host-entry.ts';

export interface HostProcessOptions {
  /** Resident memory in bytes above which the process ends itself. */
  memoryLimitBytes: number;
  clock: Clock;
  log: Log;
}

export interface CallOptions {
  /** The subject of a sentence about this call: `Loading demand/8`. */
  what: string;
  /** Limit of the call itself, in milliseconds; waiting for the calls before it does not count. At it the process is ended. */
  timeoutMs: number;
}

interface Pending extends CallOptions {
  call: HostCall;
  resolve(answer: HostAnswer): void;
  reject(error: KedgeError): void;
}

/** Limit of the start of the process, in milliseconds: a loaded machine takes seconds. */
const START_TIMEOUT_MS = 30_000;
/** After the pipe is closed, the process has this long to go by itself, in milliseconds. */
const END_GRACE_MS = 2_000;
const STDERR_TAIL = 4_096;

/**
 * A host process and the calls to it, one at a time.
 *
 * starting — spawned; calls wait until it says hello
 * idle     — no call is under way
 * busy     — one call is under way, others wait in order
 * dead     — killed, or gone by itself: every call fails, those waiting too
 *
 *   starting -> idle <-> busy;  any -> dead
 */
export class HostProcess {
  #state: 'starting' | 'idle' | 'busy' | 'dead' = 'starting';
  readonly #child: ChildProcess;
  readonly #pipe: Socket;
  readonly #options: HostProcessOptions;
  readonly #waiting: Pending[] = [];
  #current: Pending | undefined;
  /** Ends the deadline of what is under way. */
  #deadline: AbortController | undefined;
  #lastId = 0;
  #death: Death | undefined;
  #fatalModel: number | undefined;
  #stderr = '';
  #lifelineText = '';
  readonly #dead = Promise.withResolvers<Death>();
  /** Resolves when the state becomes dead, before any call fails because of it. */
  readonly dead: Promise<Death> = this.#dead.promise;
  /** Resolves when the process is gone and its memory is back. */
  readonly gone: Promise<Death>;

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#child = spawn(process.execPath, [fileURLToPath(HOST_ENTRY), String(options.memoryLimitBytes)], {
      cwd: '/',
      env: hostEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    const [, , stderr, pipe, lifeline] = this.#child.stdio as unknown as [null, null, Readable, Socket, Socket];
    this.#pipe = pipe;
    const reader = new FrameReader();
    // A write into the pipe of a dead process fails; its exit tells more than that.
    pipe.on('error', () => undefined).on('data', (chunk) => this.#receive(reader, chunk));
    stderr.on('data', (chunk) => {
      this.#stderr = (this.#stderr + chunk).slice(-STDERR_TAIL);
    });
    lifeline
      .on('error', () => undefined)
      .on('data', (chunk) => {
        this.#lifelineText += chunk;
      });
    this.gone = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#die({ kind: 'unstarted', message: messageOf(error) });
        resolve(this.#death!);
      });
      this.#child.on('close', (code, signal) => {
        this.#die(this.#deathOf(code, signal));
        options.log[this.#death!.kind === 'ended' ? 'debug' : 'warn'](
          { pid: this.pid, stderr: this.#stderr || undefined },
          `A host process ended: ${describeDeath(this.#death!)}`,
        );
        resolve(this.#death!);
      });
    });
    this.#startDeadline(START_TIMEOUT_MS);
  }

  get state(): 'starting' | 'idle' | 'busy' | 'dead' {
    return this.#state;
  }

  /** The model whose call was under way when the process ended. */
  get fatalModel(): number | undefined {
    return this.#fatalModel;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks the host. Calls are answered in the order they are made.
   * @throws KedgeError what the host answered; `engine-timeout`, `engine-memory`, `engine-crashed` where the process ended instead
   */
  call(call: HostCall, options: CallOptions): Promise<HostAnswer> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { ...options, call, resolve, reject };
      if (this.#death) {
        reject(deathError(this.#death, options.what, false));
        return;
      }
      this.#waiting.push(pending);
      if (this.#state === 'idle') this.#next();
    });
  }

  /** Lets the process go, by force if it is busy or does not; calls under way fail. Resolves when it is gone. */
  async end(): Promise<void> {
    // A busy process would see that the pipe is closed only after the call.
    if (this.#state === 'busy' || this.#state === 'starting') this.#die({ kind: 'ended' });
    this.#fail({ kind: 'ended' });
    this.#pipe.end();
    const done = new AbortController();
    const late = this.#options.clock.sleep(END_GRACE_MS, done.signal).then(() => {
      if (!done.signal.aborted) this.kill();
    });
    await this.gone;
    done.abort();
    await late;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #next(): void {
    this.#deadline?.abort();
    this.#current = this.#waiting.shift();
    this.#state = this.#current ? 'busy' : 'idle';
    if (!this.#current) return;
    const { call, reject } = this.#current;
    let pieces: Uint8Array[];
    try {
      pieces = encodeFrame(encodeCall(++this.#lastId, call));
    } catch (error) {
      reject(error as KedgeError);
      this.#next();
      return;
    }
    this.#pipe.cork();
    for (const piece of pieces) this.#pipe.write(piece);
    this.#pipe.uncork();
    this.#startDeadline(this.#current.timeoutMs);
  }

  #startDeadline(timeoutMs: number): void {
    const deadline = new AbortController();
    this.#deadline = deadline;
    void this.#options.clock.sleep(timeoutMs, deadline.signal).then(() => {
      if (!deadline.signal.aborted) this.#die({ kind: 'timeout', timeoutMs });
    });
  }

  #receive(reader: FrameReader, chunk: Uint8Array): void {
    if (this.#state === 'dead') return;
    try {
      for (const frame of reader.push(chunk)) {
        const { answer } = decodeAnswer(frame);
        const current = this.#current;
        // The next call is on its way before the caller of this one goes on. The hello has no caller.
        this.#next();
        if (answer instanceof KedgeError) current?.reject(answer);
        else current?.resolve(answer);
      }
    } catch (error) {
      this.#die({ kind: 'nonsense', message: messageOf(error) });
    }
  }

  #deathOf(code: number | null, signal: NodeJS.Signals | null): Death {
    if (this.#lifelineText === '') return { kind: 'exit', code, signal };
    const { memoryBytes } = JSON.parse(this.#lifelineText) as { memoryBytes: number };
    return { kind: 'memory', memoryBytes, limitBytes: this.#options.memoryLimitBytes };
  }

  /** Kills the process if it lives, for the first reason given. */
  #die(death: Death): void {
    this.#fail(death);
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.kill();
  }

  /** The one way into `dead`. */
  #fail(death: Death): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#death = death;
    const fatal = death.kind === 'ended' ? undefined : this.#current?.call;
    this.#fatalModel = fatal && 'model' in fatal ? fatal.model : undefined;
    this.#dead.resolve(death);
    this.#deadline?.abort();
    if (this.#current) this.#current.reject(deathError(death, this.#current.what, true));
    for (const { reject, what } of this.#waiting.splice(0)) reject(deathError(death, what, false));
    this.#current = undefined;
  }
}
