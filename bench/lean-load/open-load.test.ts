import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { openLoad } from './loads.ts';

let server: Server;

async function listening(onRequest: RequestListener): Promise<number> {
  server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const job = { path: '/', body: '{}', connections: 4, perSecond: 200, warmUpMs: 0, durationMs: 200 };

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it('sends each request that its schedule has, and tells what was answered', async () => {
  const port = await listening((_request, response) => response.end('{"y":1}'));
  const result = await openLoad({ ...job, connections: 64, port, each: true });
  expect(result).toMatchObject({ scheduled: 40, good: 40, late: 0, refused: 0, failed: 0, dropped: 0 });
  expect(result.answers).toEqual([{ body: '{"y":1}', count: 40 }]);
  expect(result.samples).toHaveLength(40);
});

it('tells what came too late, and what was refused, from each other', async () => {
  let requests = 0;
  const port = await listening((_request, response) => {
    requests += 1;
    response.writeHead(requests % 2 === 0 ? 200 : 503, { 'content-length': 0 }).end();
  });
  const result = await openLoad({ ...job, connections: 64, port, deadlineMs: 0 });
  expect(result).toMatchObject({ scheduled: 40, good: 0, late: 20, refused: 20 });
});

it('goes on with its schedule while nothing is answered', async () => {
  const port = await listening(() => undefined);
  expect(await openLoad({ ...job, port })).toMatchObject({ scheduled: 40, good: 0, failed: 4, dropped: 36 });
});

it('counts a connection that breaks as a request that failed', async () => {
  const port = await listening((request) => request.socket.destroy());
  const { scheduled, good, failed, dropped } = await openLoad({ ...job, connections: 64, port });
  expect([scheduled, good]).toEqual([40, 0]);
  expect(failed + dropped).toBe(40);
  expect(failed).toBeGreaterThan(0);
});
