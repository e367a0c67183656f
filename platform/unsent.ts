import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface UnsentOptions {
  /** How long output may stand still before its connection is ended, in milliseconds. */
  limitMs: number;
  /** How often that is looked at, in milliseconds. */
  checkMs: number;
  /** Milliseconds on a clock that never goes back. */
  now?: () => number;
  /** Told of bytes that wait for their clients now, or no longer do, as a negative number. */
  onBytes?: ((bytes: number) => void) | undefined;
}

interface Watched {
  /** Bytes of the response that were left when that was last told. */
  bytes: number;
  /** How far the output of its connection was, and when it last moved. */
  sent: number;
  queued: number;
  movedAt: number;
}

/**
 * Answers that their clients have not read yet. Node bounds the time of requests and not of answers: a client that reads nothing would hold its answer for ever.
 * Only responses that the kernel did not take whole at once come here, so that others pay nothing.
 */
export class Unsent {
  readonly #options: UnsentOptions;
  readonly #now: () => number;
  readonly #watched = new Map<ServerResponse, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UnsentOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** To be called when something was written of a response. */
  wrote(response: ServerResponse): void {
    const bytes = response.writableLength;
    if (bytes === 0) return;
    let watched = this.#watched.get(response);
    if (!watched) {
      watched = { bytes: 0, ...progressOf(response.req.socket), movedAt: this.#now() };
      this.#watched.set(response, watched);
      response.once('close', () => this.#drop(response));
      this.#timer ??= setInterval(() => this.check(), this.#options.checkMs).unref();
    }
    this.#tell(watched, bytes);
  }

  /** Ends connections whose output stood still for too long. Called by a timer while there is anything to look at. */
  check(): void {
    const now = this.#now();
    for (const [response, watched] of this.#watched) {
      const { socket } = response.req;
      // Of responses that wait for another one of their connection, Node tells no end when that breaks.
      if (socket.destroyed) {
        this.#drop(response);
        continue;
      }
      const { sent, queued } = progressOf(socket);
      const moved = sent !== watched.sent || queued !== watched.queued;
      // With nothing to send, it is not the client that is waited for.
      if (moved || socket.writableLength === 0) Object.assign(watched, { sent, queued, movedAt: now });
      else if (now - watched.movedAt >= this.#options.limitMs) cut(socket);
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #drop(response: ServerResponse): void {
    const watched = this.#watched.get(response);
    if (!watched) return;
    this.#watched.delete(response);
    this.#tell(watched, 0);
  }

  #tell(watched: Watched, bytes: number): void {
    if (bytes !== watched.bytes) this.#options.onBytes?.(bytes - watched.bytes);
    watched.bytes = bytes;
  }
}

/** Ends a connection so that the kernel forgets what it holds of its output, some megabytes, too. Node can reset no connection that speaks TLS. */
function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * How far the output of a connection is: the bytes of writes that are over, and what is left of the one that is under way, which tells of a large write before
 * it is over. Node's own timeout of sockets looks at the same field.
 */
function progressOf(socket: Socket): { sent: number; queued: number } {
  const { _handle: handle } = socket as Socket & { _handle?: { writeQueueSize?: number } | null };
  return { sent: socket.bytesWritten - socket.writableLength, queued: handle?.writeQueueSize ?? 0 };
}
