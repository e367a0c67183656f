import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { objectsAt } from './kubectl.ts';

it('objects of a namespace come with their kinds, and a refusal is told', async () => {
  const server = createServer((request, response) => {
    const [, kind] = /namespaces\/kedge\/(\w+)$/.exec(request.url!) ?? [];
    if (kind === undefined) response.writeHead(403).end('{"message":"forbidden"}');
    else response.end(JSON.stringify({ kind: 'List', items: [{ metadata: { name: kind } }] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect((await objectsAt(url, 'kedge')).items).toEqual([
      { kind: 'HorizontalPodAutoscaler', metadata: { name: 'horizontalpodautoscalers' } },
      { kind: 'Deployment', metadata: { name: 'deployments' } },
      { kind: 'Pod', metadata: { name: 'pods' } },
    ]);
    await expect(objectsAt(url, 'other')).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/namespaces\/other\/.*status 403: .*forbidden/),
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
