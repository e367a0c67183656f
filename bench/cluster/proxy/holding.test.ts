import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Holding, type HoldingTerms } from './holding.ts';
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

/** Answers what it was sent, and remembers it. */
const echo =
  (got: string[] = []): RequestListener =>
  async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push(body);
    response.end(body);
  };

async function start(terms: HoldingTerms) {
  let now = 0;
  const proxy = new LeastConnectionsProxy(undefined, new Holding(terms, () => now));
  opened.push(proxy);
  const port = await listen(proxy.server);
  const ask = (body: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v2/x`, { method: 'POST', body, ...(signal && { signal }) });
  const held = (count: number) => expect.poll(() => proxy.stats().holding!.now).toBe(count);
  return {
    proxy,
    ask,
    held,
    at: (ms: number): void => {
      now = ms;
    },
  };
}

it('holds requests while no pod is ready, and then sends on all of them in their order, with their bodies', async () => {
  const { proxy, ask, held, at } = await start({});
  at(100);
  const asked = [ask('first')];
  await held(1);
  at(300);
  asked.push(ask('second'));
  await held(2);
  at(2_000);
  const got: string[] = [];
  proxy.add('a', await pod(echo(got)));
  const answers = await Promise.all(asked);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['first', 'second']);
  expect(got.toSorted()).toEqual(['first', 'second']);
  expect(proxy.stats()).toMatchObject({
    unserved: 0,
    pods: { a: { answered: 2, open: 0 } },
    holding: {
      now: 0,
      most: 2,
      rejected: 0,
      expired: 0,
      wakings: [{ at: 100, ready: 2_000, answered: 2_000, held: 2 }],
    },
  });
});

it('tells each time that there was no pod apart from the others', async () => {
  const { proxy, ask, held, at } = await start({});
  const port = await pod(echo());
  for (const [begin, ready] of [
    [1, 2],
    [5, 8],
  ] as const) {
    at(begin);
    const asked = ask('x');
    await held(1);
    at(ready);
    proxy.add('a', port);
    expect((await asked).status).toBe(200);
    expect((await ask('y')).status).toBe(200);
    proxy.remove('a');
  }
  expect(proxy.stats().holding!.wakings).toEqual([
    { at: 1, ready: 2, answered: 2, held: 1 },
    { at: 5, ready: 8, answered: 8, held: 1 },
  ]);
});

it('refuses what is more than it may hold, at once', async () => {
  const { proxy, ask, held } = await start({ maxPending: 1 });
  const asked = ask('1');
  await held(1);
  const more = await ask('2');
  expect([more.status, await more.json()]).toEqual([
    503,
    { error: 'no pod is ready, and 1 requests are held already' },
  ]);
  proxy.add('a', await pod(echo()));
  expect((await asked).status).toBe(200);
  expect(proxy.stats().holding).toMatchObject({ most: 1, rejected: 1, wakings: [{ held: 1 }] });
});

it('gives up what no pod was ready for in time', async () => {
  const { proxy, ask } = await start({ readinessMs: 50 });
  const late = await ask('1');
  expect([late.status, await late.json()]).toEqual([504, { error: 'no pod was ready within 0.05 s' }]);
  const { holding } = proxy.stats();
  expect(holding).toMatchObject({ now: 0, expired: 1, wakings: [{ at: 0, held: 1 }] });
  expect(holding!.wakings[0]).not.toHaveProperty('ready');
});

it('forgets what its client gave up', async () => {
  const { proxy, ask, held } = await start({});
  const gaveUp = new AbortController();
  const asked = ask('1', gaveUp.signal).catch(() => 'gave up');
  await held(1);
  gaveUp.abort();
  expect(await asked).toBe('gave up');
  await held(0);
  const got: string[] = [];
  proxy.add('a', await pod(echo(got)));
  expect((await ask('2')).status).toBe(200);
  expect(got).toEqual(['2']);
});

it('does not take what the proxy says itself for an answer of a pod', async () => {
  const { proxy, ask, held } = await start({});
  const asked = ask('1');
  await held(1);
  proxy.add('breaks', await pod((request) => void request.socket.destroy()));
  expect((await asked).status).toBe(502);
  expect(proxy.stats().holding!.wakings).toEqual([{ at: 0, ready: 0, held: 1 }]);
});
