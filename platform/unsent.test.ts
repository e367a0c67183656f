import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { Unsent } from './unsent.ts';

const LIMIT_MS = 100;
const LARGE = Buffer.alloc(64 * 2 ** 20);

let now = 0;
let closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

/** An answer that is under way to a client that reads when it is told to. The clock stands still but for the test, and nothing looks but it. */
async function underWay() {
  const told = { bytes: 0 };
  const unsent = new Unsent({
    limitMs: LIMIT_MS,
    checkMs: 1_000_000,
    now: () => now,
    onBytes: (more) => {
      told.bytes += more;
    },
  });
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    response.end(LARGE);
    unsent.wrote(response);
    resolve(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined).pause();
  client.write('GET / HTTP/1.1\r\nhost: kedge\r\n\r\n');
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  return { client, response: await promise, unsent, told };
}

it('a slow reader is waited for, however long it takes', async () => {
  const { client, response, unsent, told } = await underWay();
  const left = (): number => {
    const { _handle: handle } = response.socket as Socket & { _handle?: { writeQueueSize: number } };
    return handle!.writeQueueSize;
  };
  for (let step = 0; step < 10; step += 1) {
    const before = left();
    client.on('data', () => left() < before && client.pause()).resume();
    await vi.waitFor(() => expect(left()).toBeLessThan(before));
    now += LIMIT_MS - 1;
    unsent.check();
    client.removeAllListeners('data');
    expect([response.destroyed, told.bytes > 0]).toEqual([false, true]);
  }
  client.resume();
  await vi.waitFor(() => expect([response.writableFinished, told.bytes]).toEqual([true, 0]));
});

it('one that stops is ended once its time is over', async () => {
  const { client, response, unsent, told } = await underWay();
  expect(told.bytes).toBeGreaterThan(LARGE.length / 2);
  await vi.waitFor(() => {
    now += LIMIT_MS;
    unsent.check();
    expect(response.destroyed).toBe(true);
  });
  expect([response.writableFinished, told.bytes]).toEqual([false, 0]);
  client.resume();
  await vi.waitFor(() => expect(client.destroyed).toBe(true));
});
