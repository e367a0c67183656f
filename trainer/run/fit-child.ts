import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker, workerData } from 'node:worker_threads';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { watchCost } from './fit-cost.ts';
import { FIT_ENTRY, FITTED_MODEL, type FitMessage, type FitOrder, HELD_OUT_FILE } from './fit-entry.ts';
import { encodeHeldOut } from './held-out.ts';
import type { Trainable } from './trainable.ts';

const PARENT_POLL_MS = 500;

/** Takes one order by its channel, answers, and ends. */
export async function serveFit(): Promise<void> {
  new Worker(FIT_ENTRY, { workerData: process.ppid }).unref();
  const order = await new Promise<FitOrder>((resolve) =>
    process.once('message', (message) => resolve(message as FitOrder)),
  );
  try {
    await send(await answerTo(order));
  } catch (error) {
    const code = error instanceof KedgeError ? error.code : 'fit-failed';
    await send({ kind: 'failed', code, message: messageOf(error) });
  }
  process.disconnect?.();
}

async function answerTo({ module, task, folder }: FitOrder): Promise<FitMessage> {
  const cost = watchCost();
  const { default: trainable } = (await import(module)) as { default: Trainable };
  const fitted = await trainable.fit(task, folder, {
    onProgress: (done) => void send({ kind: 'progress', done }),
  });
  await writeFile(join(folder, FITTED_MODEL), fitted.onnx);
  await writeFile(join(folder, HELD_OUT_FILE), encodeHeldOut(fitted.heldOut));
  const { input, output, details, report, heldOut } = fitted;
  return {
    kind: 'done',
    result: { input, output, details, report, rows: heldOut.rows, columns: heldOut.columns },
    cost: cost(),
  };
}

function send(message: FitMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}

/** On a thread of its own: ends the process, and what it started, when the parent is gone. */
export function watchParent(): void {
  setInterval(() => {
    if (process.ppid === workerData) return;
    try {
      // The process leads a group, see fitInProcess.
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  }, PARENT_POLL_MS);
}
