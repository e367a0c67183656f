import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** A thread with a server that answers at once, and stands still for `stallMs` in every `periodMs`. Tells its port when it listens. */
export interface StallOrder {
  periodMs: number;
  stallMs: number;
}

const { periodMs, stallMs } = workerData as StallOrder;
const never = new Int32Array(new SharedArrayBuffer(4));

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{"outputs":[]}'));
});
server.listen(0, '127.0.0.1', () => {
  setInterval(() => Atomics.wait(never, 0, 0, stallMs), periodMs);
  parentPort!.postMessage((server.address() as AddressInfo).port);
});
