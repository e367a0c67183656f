import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What was sent on one connection without waiting for answers. Node answers in order, and ends the connection behind the first answer that says
 * `connection: close`: whatever came behind it is never answered, so it must not run either (RFC 9112, 9.6).
 */
export class Pipelines {
  /** The response to the newest request of each connection. */
  readonly #newest = new WeakMap<Socket, ServerResponse>();
  /** Connections of which an answer was told to be the last. */
  readonly #ended = new WeakSet<Socket>();

  /** Takes note of a request. @returns whether it may run */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#ended.has(request.socket)) return false;
    this.#newest.set(request.socket, response);
    return true;
  }

  /** Whether nothing was sent behind the request of this response, so that it may be the last one. */
  isNewest(response: ServerResponse): boolean {
    return this.#newest.get(response.req.socket) === response;
  }

  /** To be told of each head that was written. */
  wroteHead(response: ServerResponse): void {
    // Node asks this field of its own whether to end the connection.
    if ((response as ServerResponse & { _last?: boolean })._last) this.#ended.add(response.req.socket);
  }
}
