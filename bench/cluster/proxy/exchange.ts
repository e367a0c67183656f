import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { Backend } from './backend.ts';

const TIMEOUT_HEADER = 'kedge-timeout-ms';
/** Of one connection alone (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);

interface OnAnswer {
  /** The connection broke before a byte of the request was on it. */
  unsent(): void;
  /** It broke later. */
  broken(): void;
  answered(answer: IncomingMessage): void;
}

/** A request of a client and its answer. */
export class Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Pods that took no connection for it. */
  readonly refusedBy = new Set<Backend>();

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  /** Milliseconds that are left of the deadline; undefined where there is none. */
  timeoutAfter(waitedMs: number): number | undefined {
    const asked = this.incoming.headers[TIMEOUT_HEADER];
    const value = Number(asked);
    // What is no number is for the server to refuse.
    return asked === undefined || !Number.isFinite(value) ? undefined : value - waitedMs;
  }

  forward({ port, agent }: Backend, timeoutMs: number | undefined, on: OnAnswer): ClientRequest {
    const { method, url, headers } = this.incoming;
    const rest = timeoutMs === undefined ? {} : { [TIMEOUT_HEADER]: String(Math.ceil(timeoutMs)) };
    const upstream = request({
      host: '127.0.0.1',
      port,
      agent,
      method,
      path: url,
      headers: { ...endToEnd(headers), ...rest },
    });
    let begun = false;
    const send = (): void => {
      begun = true;
      this.incoming.pipe(upstream);
    };
    return upstream
      .once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()))
      .once('response', on.answered)
      .on('error', () => (begun ? on.broken() : on.unsent()));
  }

  pipe(answer: IncomingMessage, onBroken: () => void): void {
    answer.once('error', onBroken);
    this.outgoing.writeHead(answer.statusCode!, endToEnd(answer.headers));
    answer.pipe(this.outgoing);
  }

  /** An answer of the proxy's own; where another has begun, the connection is broken off, as that one cannot be whole. */
  answer(status: number, message: string): void {
    if (this.outgoing.headersSent) {
      this.outgoing.destroy();
      return;
    }
    this.incoming.unpipe();
    this.incoming.resume();
    this.outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: message }));
  }
}

function endToEnd(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
