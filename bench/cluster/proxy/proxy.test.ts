import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { Capacity } from './capacity.ts';
import { LeastConnectionsProxy } from './proxy.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function pod(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  opened.push({ close: () => server.close() && server.closeAllConnections() });
  return listen(server);
}

/** Answers its name and the body that it got. */
const echo =
  (name: string, afterMs = 0): RequestListener =>
  async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await setTimeout(afterMs);
    response.setHeader('x-timeout', request.headers['kedge-timeout-ms'] ?? '');
    response.end(`${name}:${Buffer.concat(chunks)}`);
  };

async function start(
  capacity?: Capacity,
): Promise<{ proxy: LeastConnectionsProxy; ask(body?: string, headers?: Record<string, string>): Promise<Response> }> {
  const proxy = new LeastConnectionsProxy(capacity);
  opened.push(proxy);
  const port = await listen(proxy.server);
  return {
    proxy,
    ask: (body = '', headers = {}) => fetch(`http://127.0.0.1:${port}/v2/x`, { method: 'POST', body, headers }),
  };
}

it('gives a request to the pod with the fewest under way', async () => {
  const { proxy, ask } = await start();
  let release: (() => void) | undefined;
  proxy.add(
    'slow',
    await pod((_, response) => {
      release = () => response.end('slow:');
    }),
  );
  const slow = ask();
  await expect.poll(() => release).toBeDefined();
  proxy.add('quick', await pod(echo('quick')));
  for (const body of 'abc') expect(await (await ask(body)).text()).toBe(`quick:${body}`);
  expect(proxy.stats().pods['slow']).toMatchObject({ open: 1, held: 0 });
  release!();
  expect(await (await slow).text()).toBe('slow:');
  await expect.poll(() => proxy.stats().pods['slow']!.open).toBe(0);
  expect(proxy.stats().pods['quick']).toMatchObject({ answered: 3, broken: 0 });
});

it('sends a pod that was removed nothing more, and lets it answer what it has', async () => {
  const { proxy, ask } = await start();
  proxy.add('a', await pod(echo('a', 200)));
  const had = ask('1');
  await expect.poll(() => proxy.stats().pods['a']!.open).toBe(1);
  proxy.remove('a');
  const none = await ask();
  expect([none.status, await none.json()]).toEqual([503, { error: 'no pod is ready' }]);
  expect(await (await had).text()).toBe('a:1');
  expect(proxy.stats().unserved).toBe(1);
});

it('tries another pod where the first takes no connection, and counts it', async () => {
  const { proxy, ask } = await start();
  const gone = createServer();
  const port = await listen(gone);
  gone.close();
  await once(gone, 'close');
  proxy.add('gone', port);
  proxy.add('here', await pod(echo('here')));
  for (const body of 'abcd') expect(await (await ask(body)).text()).toBe(`here:${body}`);
  expect(proxy.stats().retried).toBeGreaterThanOrEqual(1);
  proxy.remove('here');
  expect((await ask()).status).toBe(503);
});

it('never sends a request again whose bytes were on the way', async () => {
  const { proxy, ask } = await start();
  let asked = 0;
  const breaks: RequestListener = (request) => {
    asked += 1;
    request.socket.destroy();
  };
  for (const name of 'ab') proxy.add(name, await pod(breaks));
  expect((await ask('x')).status).toBe(502);
  expect(asked).toBe(1);
  expect(proxy.stats().retried).toBe(0);
});

it('breaks an answer off that broke off', async () => {
  const { proxy, ask } = await start();
  proxy.add(
    'half',
    await pod((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(50).then(() => request.socket.destroy());
    }),
  );
  const response = await ask();
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  await expect.poll(() => proxy.stats().pods['half']).toMatchObject({ open: 0, broken: 1 });
});

it('holds requests back as a pod of that capacity would, and tells for how long', async () => {
  const { proxy, ask } = await start({ slots: 1, serviceMs: 100 });
  proxy.add('a', await pod(echo('a')));
  const [first, second] = await Promise.all([
    ask('1', { 'kedge-timeout-ms': '5000' }),
    ask('2', { 'kedge-timeout-ms': '5000' }),
  ]);
  const left = [first, second].map(({ headers }) => Number(headers.get('x-timeout'))).sort((a, b) => b - a);
  expect(left[0]).toBeGreaterThan(4_900);
  // The second waited for the first to be over, which may have come a little earlier.
  expect(left[1]).toBeLessThan(4_950);
  // Both for most of their 100 ms, and the second for the first.
  expect(proxy.stats().pods['a']!.heldSeconds).toBeGreaterThan(0.15);
});

it('tells how many requests it holds back now: what waits, and what is answered already', async () => {
  const { proxy, ask } = await start({ slots: 1, serviceMs: 60_000 });
  let release: (() => void) | undefined;
  proxy.add(
    'a',
    await pod((_, response) => {
      release = () => response.end('a');
    }),
  );
  const asked = [ask('1'), ask('2')];
  await expect.poll(() => [proxy.stats().pods['a']!.open, release === undefined]).toEqual([2, false]);
  expect(proxy.stats().pods['a']!.held).toBe(1);
  release!();
  await expect.poll(() => proxy.stats().pods['a']!.held).toBe(2);
  proxy.lose('a');
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([502, 502]);
  expect(proxy.stats().pods['a']).toMatchObject({ open: 0, held: 0 });
});

it('spaces requests as a pod of a rate would', async () => {
  const { proxy, ask } = await start({ perSecond: 5 });
  proxy.add('a', await pod(echo('a')));
  await Promise.all(['1', '2', '3', '4', '5'].map((body) => ask(body)));
  // Two begin at once, the others 200, 400 and 600 ms later.
  expect(proxy.stats().pods['a']!.heldSeconds).toBeGreaterThan(0.4);
  expect(proxy.stats().pods['a']).toMatchObject({ open: 0, answered: 5 });
});

it('answers itself where the deadline passed while a request waited', async () => {
  const { proxy, ask } = await start({ slots: 1, serviceMs: 100 });
  proxy.add('a', await pod(echo('a')));
  const first = ask('1');
  await expect.poll(() => proxy.stats().pods['a']!.open).toBe(1);
  const second = await ask('2', { 'kedge-timeout-ms': '20' });
  expect([second.status, (await first).status]).toEqual([503, 200]);
});

it('fails all that a pod had that is gone, what waited for its turn too', async () => {
  const { proxy, ask } = await start({ slots: 1, serviceMs: 60_000 });
  proxy.add('a', await pod(echo('a')));
  const asked = [ask('1'), ask('2'), ask('3')];
  await expect.poll(() => proxy.stats().pods['a']!.open).toBe(3);
  proxy.lose('a');
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([502, 502, 502]);
  expect(proxy.stats().pods['a']).toMatchObject({ open: 0, broken: 3 });
});

it('gives up what its client gave up', async () => {
  const { proxy } = await start();
  let closed = false;
  proxy.add(
    'a',
    await pod((_, response) => {
      response.on('close', () => {
        closed = true;
      });
    }),
  );
  const port = (proxy.server.address() as AddressInfo).port;
  const gaveUp = new AbortController();
  const asked = fetch(`http://127.0.0.1:${port}/`, { signal: gaveUp.signal }).catch(() => 'gave up');
  await expect.poll(() => proxy.stats().pods['a']!.open).toBe(1);
  await setTimeout(50);
  gaveUp.abort();
  expect(await asked).toBe('gave up');
  await expect.poll(() => [closed, proxy.stats().pods['a']!.open]).toEqual([true, 0]);
});
