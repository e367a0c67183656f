import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { getRequestListener } from '@hono/node-server';
import { type ErrorCode, KedgeError, messageOf } from '../contract/errors.ts';
import { refuseConnection, refuseExpectation, refuseRequest } from './before-routing.ts';
import { Pipelines } from './pipelines.ts';
import { Unsent } from './unsent.ts';

export interface Listener {
  readonly port: number;
  readonly server: Server;
  /** Loads what stands between Node and the app, which else waits for the first request that needs it. */
  prepare(): Promise<void>;
  /** The certificate for connections to come. @throws Error for what is none; the one before stays */
  useTls(pair: TlsPair): void;
  /**
   * From now on each answer ends its connection, one to a request under way too, so that clients go elsewhere; of requests that were sent
   * on without waiting, the answer to the last one does.
   */
  leave(): void;
  /** Stops taking connections, lets what is under way finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** A Hono app, whatever it knows of its requests. */
export interface App {
  readonly fetch: Parameters<typeof getRequestListener>[0];
  /** Asked before it; true where the request was taken. */
  readonly direct?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;
}

export interface ListenOptions {
  /** 0 takes any free port. */
  port: number;
  hostname?: string;
  /** Most open connections; more are closed at once. */
  maxConnections?: number | undefined;
  /** With these it speaks TLS. */
  tls?: TlsPair | undefined;
  /** Called when a head is about to be written, of whatever answer; it may set headers. */
  onHead?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Called when a client was refused before its bytes came to be a request. */
  onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Told of bytes of answers that wait for their clients to read them, or, as a negative number, no longer do. */
  onUnsent?: ((bytes: number) => void) | undefined;
  timeouts?: Partial<Timeouts> | undefined;
}

/** How long clients may take, in milliseconds. */
interface Timeouts {
  /** For the head of a request, and for the handshake of TLS before it. */
  headers: number;
  /** For a whole request; and for an answer, of which nothing moves. */
  request: number;
  /** How often connections are checked for them. */
  check: number;
}

/** PEM. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
}

const MAX_HEADER_BYTES = 16_384;
const TIMEOUTS: Timeouts = { headers: 15_000, request: 60_000, check: 5_000 };
/** How often idle connections are swept while closing. */
const SWEEP_MS = 100;

/**
 * Listens with limits that bear slow clients, and keep-alive longer than the usual load balancer's 60 s idle time, so that
 * the balancer and not the server closes idle connections.
 * @throws KedgeError `config-invalid` when the port cannot be had
 */
export async function listen(app: App, options: ListenOptions): Promise<Listener> {
  const { port, hostname, maxConnections, tls, onHead, onRefused, onUnsent } = options;
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  let leaving = false;
  const pipelines = new Pipelines();
  const unsent = new Unsent({ limitMs: timeouts.request, checkMs: timeouts.check, onBytes: onUnsent });
  class Answer<T extends IncomingMessage> extends ServerResponse<T> {
    override writeHead(...head: unknown[]): this {
      if (leaving && pipelines.isNewest(this)) this.shouldKeepAlive = false;
      onHead?.(this.req, this);
      super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
      pipelines.wroteHead(this);
      return this;
    }
    override write(...chunk: unknown[]): boolean {
      const more = super.write(...(chunk as Parameters<ServerResponse['write']>));
      unsent.wrote(this);
      return more;
    }
    override end(...chunk: unknown[]): this {
      super.end(...(chunk as Parameters<ServerResponse['end']>));
      unsent.wrote(this);
      return this;
    }
  }
  const serverOptions = {
    ServerResponse: Answer,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: 70_000,
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    connectionsCheckingInterval: timeouts.check,
    // A request without Host is refused all the same, in the form that errors have here.
    requireHostHeader: false,
  };
  const adapter = lazyAdapter(app);
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (!pipelines.begin(incoming, outgoing)) incoming.resume();
    else if (!app.direct?.(incoming, outgoing)) void adapter.answer(incoming, outgoing);
  };
  const server: Server = tls
    ? createTlsServer({ ...serverOptions, ...tls, handshakeTimeout: timeouts.headers }, listener)
    : createServer(serverOptions, listener);
  server.on('clientError', (error, socket) => refuseConnection(error, socket as Socket, onRefused));
  server.on('checkExpectation', (request, response) => onRefused?.(refuseExpectation(request, response)));
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
    prepare: adapter.load,
    useTls: (pair) => (server as unknown as TlsServer).setSecureContext(pair),
    leave: () => {
      leaving = true;
    },
    close: (graceMs) => closeServer(server, graceMs),
  };
}

type Adapter = ReturnType<typeof getRequestListener>;

/** The adapter touches Node's own fetch, whose code takes some 15 ms to load: a start does not wait for it. */
function lazyAdapter({ fetch }: App): {
  load(): Promise<void>;
  answer(...pair: Parameters<Adapter>): Promise<unknown>;
} {
  let adapter: Adapter | undefined;
  let loading: Promise<void> | undefined;
  const load = (): Promise<void> => {
    loading ??= import('@hono/node-server').then(({ getRequestListener }) => {
      adapter = getRequestListener(fetch, { errorHandler: refuseRequest });
    });
    return loading;
  };
  return {
    load,
    answer: async (incoming, outgoing) => {
      if (!adapter) await load();
      // Of a client that went away meanwhile the adapter would hear no more.
      if (!outgoing.destroyed) await adapter!(incoming, outgoing);
    },
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
