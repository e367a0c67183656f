import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { disturbances, loadDuring, type SteadyResult } from './steady-load.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const PARTS = { partMs: 600, answerMs: 300 };

async function loaded(onRequest: RequestListener): Promise<SteadyResult> {
  server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const job = { port, path: '/', body: '{}', connections: 200, perSecond: 80 };
  return loadDuring(job, () => setTimeout(1_000), PARTS);
}

it('all that is answered is good, also what is answered after its part', async () => {
  const load = await loaded((_request, response) => void setTimeout(100).then(() => response.end('{}')));
  expect(load).toMatchObject({ failed: 0, unanswered: 0, refused: 0, good: load.scheduled - load.dropped });
  expect(load.scheduled).toBeGreaterThan(80);
  expect(load.answers).toEqual(new Map([['{}', load.good]]));
  expect(disturbances(load)).toEqual([]);
});

it('a server that leaves one in twenty without an answer for ever is found out', async () => {
  let requests = 0;
  let left = 0;
  const load = await loaded((_request, response) => {
    if (requests++ % 20 > 0) response.end('{}');
    else left += 1;
  });
  expect(left).toBeGreaterThan(3);
  expect(load).toMatchObject({ unanswered: left, failed: left, good: load.scheduled - left - load.dropped });
  expect(disturbances(load)).toEqual([`${left} requests failed, ${left} of them for want of an answer`]);
});

it('one that breaks off, refuses, or takes what it can is told apart', async () => {
  let requests = 0;
  const broken = await loaded((request, response) => {
    requests += 1;
    if (requests % 20 === 0) request.socket.destroy();
    else response.writeHead(requests % 20 === 1 ? 503 : 200, { 'content-length': 0 }).end();
  });
  expect(broken.unanswered).toBe(0);
  expect(disturbances(broken)).toEqual([
    `${broken.failed} requests failed, 0 of them for want of an answer`,
    `${broken.refused} requests were refused`,
  ]);
  const whole = { ...broken, failed: 0, refused: 0, scheduled: 1_000 };
  expect(disturbances({ ...whole, good: 950, dropped: 50 })).toEqual([]);
  expect(disturbances({ ...whole, good: 949, dropped: 51 })).toEqual(['51 of 1000 requests were not sent']);
  expect(disturbances({ ...whole, good: 999, dropped: 0 })).toEqual(['1 requests are accounted for nowhere']);
  expect(disturbances({ ...whole, scheduled: 0, good: 0, dropped: 0 })).toEqual(['nothing was asked']);
});
