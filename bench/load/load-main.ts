import { parentPort, workerData } from 'node:worker_threads';
import type { LoadCommand, LoadOrder } from './load-entry.ts';
import { Sender } from './sender.ts';

/** A thread that sends: waits for the time to begin, and tells what happens. */
const port = parentPort!;
// `performance.now` costs less than `process.hrtime`, which alone is the same in all threads.
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();
const sender = new Sender(
  workerData as LoadOrder,
  () => performance.now() + offset,
  (report, transfer) => port.postMessage(report, transfer),
);
port.on('message', (command: LoadCommand) => {
  if (command.kind === 'stop') sender.stop();
  else void sender.run(command.at).finally(() => port.close());
});
port.postMessage({ kind: 'ready' });
