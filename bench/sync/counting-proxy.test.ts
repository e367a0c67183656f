import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';

let upstream: Server;
let proxy: CountingProxy;

afterEach(async () => {
  await proxy.close();
  upstream.closeAllConnections();
  upstream.close();
});

it('hands requests on as they came, and counts them', async () => {
  upstream = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    response.writeHead(request.method === 'PUT' ? 201 : 200, { 'x-seen': String(request.headers.host) });
    response.end(`${request.method} ${request.url} ${body}`);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  proxy = await startCountingProxy(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  const put = await fetch(`${proxy.url}/a?b=1`, { method: 'PUT', body: 'bytes' });
  expect([put.status, await put.text()]).toEqual([201, 'PUT /a?b=1 bytes']);
  const got = await fetch(`${proxy.url}/a`);
  // What the client signed is the address that it asked.
  expect([await got.text(), got.headers.get('x-seen')]).toEqual(['GET /a ', proxy.url.replace('http://', '')]);
  expect(proxy.count()).toBe(2);
});

it('breaks off what its server breaks off, and goes on', async () => {
  upstream = createServer((request, response) => {
    if (request.url === '/gone') request.socket.destroy();
    else response.end('here');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  proxy = await startCountingProxy(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  await expect(fetch(`${proxy.url}/gone`)).rejects.toThrow();
  expect(await (await fetch(`${proxy.url}/there`)).text()).toBe('here');
  expect(proxy.count()).toBe(2);
});
