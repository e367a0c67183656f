import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { KedgeError, messageOf } from '../contract/errors.ts';

export interface Listener {
  readonly port: number;
  readonly server: Server;
  /** The certificate for connections to come. @throws Error for what is none; the one before stays */
  useTls(pair: TlsPair): void;
  /** From now on each answer ends its connection, one to a request under way too, so that clients go elsewhere. */
  leave(): void;
  /** Stops taking connections, lets what is under way finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** A Hono app, whatever it knows of its requests. */
export type App = Pick<Parameters<typeof createAdaptorServer>[0], 'fetch'>;

export interface ListenOptions {
  /** 0 takes any free port. */
  port: number;
  hostname?: string;
  /** Most open connections; more are closed at once. */
  maxConnections?: number | undefined;
  /** With these it speaks TLS. */
  tls?: TlsPair | undefined;
}

/** PEM. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
}

const MAX_HEADER_BYTES = 16_384;
/** How often connections are checked for a passed timeout, and idle ones are swept while closing. */
const CHECK_MS = 5_000;
const SWEEP_MS = 100;

/**
 * Listens with limits that bear slow clients, and keep-alive longer than the usual load balancer's 60 s idle time, so that
 * the balancer and not the server closes idle connections.
 * @throws KedgeError `config-invalid` when the port cannot be had
 */
export async function listen(app: App, { port, hostname, maxConnections, tls }: ListenOptions): Promise<Listener> {
  let leaving = false;
  class Answer<T extends IncomingMessage> extends ServerResponse<T> {
    override writeHead(...head: unknown[]): this {
      if (leaving) this.shouldKeepAlive = false;
      return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
    }
  }
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(tls && { createServer: createTlsServer }),
    serverOptions: {
      ...tls,
      ServerResponse: Answer,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: 70_000,
      headersTimeout: 15_000,
      requestTimeout: 60_000,
      connectionsCheckingInterval: CHECK_MS,
    },
  }) as Server;
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new KedgeError('config-invalid', `Port ${port} cannot be used: ${messageOf(error)}. Choose another port.`),
      ),
    );
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    useTls: (pair) => (server as unknown as TlsServer).setSecureContext(pair),
    leave: () => {
      leaving = true;
    },
    close: (graceMs) => closeServer(server, graceMs),
  };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was busy when close() was called stays open and idle afterwards, so idle ones are swept until none is left.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
