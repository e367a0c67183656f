import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { KedgeError } from '../contract/errors.ts';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { decodeCall, encodeAnswer, encodeFailure, HELLO_ID, type HostAnswer, type HostCall } from './host-calls.ts';
import { CALLS_FD, HOST_ENTRY } from './host-entry.ts';
import { ownBytes } from './host-memory.ts';
import { CALLS, UNDER_WAY, type WatchData } from './host-watch.ts';
import { openModel } from './open.ts';
import { warmRuntime } from './runtime.ts';
import type { Runner } from './session.ts';
import { verifyFiles } from './verify.ts';

/** Signals that a terminal sends to the whole group: the parent decides, as it may still need answers. */
const LEFT_TO_PARENT = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** When memory runs out, the kernel ends a host rather than its parent. */
const OOM_SCORE = '500';

/** Serves calls, one at a time in the order they come, until the parent closes the pipe. The first argument is the memory limit in bytes. */
export async function serveHost(): Promise<void> {
  for (const signal of LEFT_TO_PARENT) process.on(signal, () => undefined);
  try {
    writeFileSync('/proc/self/oom_score_adj', OOM_SCORE);
  } catch {
    // Only Linux has it, and it is a wish.
  }
  const counters = new Int32Array(new SharedArrayBuffer(8));
  await warmRuntime();
  await startWatch({ memoryLimitBytes: Number(process.argv[2]), counters });
  const pipe = new Socket({ fd: CALLS_FD, readable: true, writable: true });
  const send = (pieces: readonly Uint8Array[]): void => {
    pipe.cork();
    for (const piece of pieces) pipe.write(piece);
    pipe.uncork();
  };
  const reader = new FrameReader();
  const host = new Host(counters);
  let last: Promise<void> = Promise.resolve();
  pipe.on('data', (chunk) => {
    for (const frame of reader.push(chunk)) last = last.then(async () => send(await host.answer(frame)));
  });
  pipe.on('error', () => process.exit(0)).on('close', () => process.exit(0));
  send(encodeFrame(encodeAnswer(HELLO_ID, { ms: 0 })));
}

async function startWatch(workerData: WatchData): Promise<void> {
  const worker = new Worker(HOST_ENTRY, { workerData, stdout: true, stderr: true });
  // Without its watch this process must not go on: an uncaught error ends it.
  worker.on('error', (error) => {
    throw error;
  });
  await once(worker, 'message');
}

/** The models of this process, by the caller's numbers. */
class Host {
  readonly #runners = new Map<number, Runner>();
  readonly #counters: WatchData['counters'];

  constructor(counters: WatchData['counters']) {
    this.#counters = counters;
  }

  /** The pieces of a frame. */
  async answer(frame: Frame): Promise<Uint8Array[]> {
    const { id, call } = decodeCall(frame);
    const start = performance.now();
    Atomics.add(this.#counters, UNDER_WAY, 1);
    Atomics.add(this.#counters, CALLS, 1);
    Atomics.notify(this.#counters, CALLS);
    try {
      const answer = await this.#answer(call);
      return encodeFrame(encodeAnswer(id, { ms: performance.now() - start, ...answer }));
    } catch (error) {
      return encodeFrame(encodeFailure(id, error));
    } finally {
      Atomics.sub(this.#counters, UNDER_WAY, 1);
    }
  }

  async #answer(call: HostCall): Promise<Partial<HostAnswer>> {
    switch (call.call) {
      case 'load': {
        // Reading files is no time that the runtime takes.
        await verifyFiles(call.request);
        const before = ownBytes();
        const start = performance.now();
        const runner = await openModel(call.request);
        const ms = performance.now() - start;
        this.#runners.set(call.model, runner);
        const memoryBytes = ownBytes();
        return { shapes: runner.shapes, ms, memoryBytes, grownBytes: Math.max(0, memoryBytes - before) };
      }
      case 'run':
        return { outputs: await this.#runner(call.model).run(call.inputs, call.outputs) };
      case 'release': {
        const runner = this.#runner(call.model);
        this.#runners.delete(call.model);
        await runner.release();
        return {};
      }
      case 'memory':
        return { memoryBytes: process.memoryUsage.rss() };
    }
  }

  #runner(model: number): Runner {
    const runner = this.#runners.get(model);
    if (runner) return runner;
    throw new KedgeError('internal', `The host process has no model ${model}.`);
  }
}
