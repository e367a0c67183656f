import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from './node/services.ts';

export interface Balancer {
  port: number;
  /** Requests that could not be passed on whole, and why. */
  failures: readonly string[];
  /** Requests by the endpoint that got them. */
  shares: ReadonlyMap<string, number>;
  close(): void;
}

/**
 * Passes each request on to the next of the endpoints that are ready then, on connections that are kept, as a gateway does. It tries nothing twice: what
 * fails, fails.
 */
export async function startBalancer(endpoints: () => readonly Endpoint[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  const shares = new Map<string, number>();
  let turn = 0;

  const pass = (from: IncomingMessage, answer: ServerResponse): void => {
    const ready = endpoints();
    const endpoint = ready[turn++ % ready.length];
    const fail = (why: string): void => {
      failures.push(why);
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end(why);
    };
    if (!endpoint) {
      fail('no endpoint is ready');
      return;
    }
    const { ip, port } = endpoint;
    shares.set(ip, (shares.get(ip) ?? 0) + 1);
    const { method, url, headers } = from;
    const to = request({ host: ip, port, path: url, method, headers, agent }, (response) => {
      const { connection: _, 'keep-alive': __, ...kept } = response.headers;
      answer.writeHead(response.statusCode!, kept);
      response.on('error', (error) => fail(`${ip} broke off: ${error.message}`)).pipe(answer);
    });
    to.on('error', (error) => fail(`${ip}: ${error.message}`));
    from.pipe(to);
  };

  // It ends no connection by itself, so that none is closed while a client writes.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, pass).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    failures,
    shares,
    close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
