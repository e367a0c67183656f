import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { PodView } from '../../cluster/cluster.ts';
import type { PolicyMetric } from '../../hpa/observe.ts';
import { Watch } from './watch.ts';

/** One request is held back all the time, by a proxy whose clock is the run's. */
it('takes what is held back, what a pod tells and what it uses each as of when it was read', async () => {
  let now = 0;
  let scrapeTakes = 3;
  const server = createServer((_, response) => {
    now += scrapeTakes;
    response.end('kedge_inflight_seconds_total 0\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ports = { port, adminPort: port };
  const pod: PodView = {
    name: 'p',
    state: 'ready',
    since: 0,
    states: [],
    startedAt: 0,
    everReady: true,
    pid: process.pid,
    ports,
  };
  const watch = new Watch({
    clock: { compression: 1, now: () => now, sleep: async () => undefined },
    scrapeSeconds: 10,
    windowSeconds: 30,
    requests: { cpu: 1_000, memory: 1_000 },
    pods: () => [pod],
    proxyStats: async () => ({
      pods: { p: { open: 1, held: 1, heldSeconds: now, answered: 0, broken: 0 } },
      retried: 0,
      unserved: 0,
    }),
  });
  try {
    await watch.look();
    now += 10;
    scrapeTakes = 1;
    await watch.look();
    expect(watch.seriesOf('p')!.averages()).toEqual([[14, 1]]);
    const metric = { kind: 'Resource', name: 'memory' } as PolicyMetric;
    expect(watch.reading(metric, 'memory')).toMatchObject({ samples: new Map([['p', { age: 1 }]]) });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
