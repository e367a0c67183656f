import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, KedgeError } from '../contract/errors.ts';

/** How long an answered connection is still read, so that its client gets to the answer before the connection is reset. */
const LINGER_MS = 1_000;
const HEADERS = { 'content-type': 'application/json', connection: 'close' };

/**
 * What a client is told whose bytes are no request, or came too slowly. Pure.
 * @param code of Node's error: `HPE_…` of its parser, or `ERR_HTTP_REQUEST_TIMEOUT`
 * @returns undefined where the connection broke, and nobody is there to be told
 */
export function judgeClientError(code: string | undefined): KedgeError | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new KedgeError('request-timeout', 'The request did not come whole in time: send it faster, or in parts.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new KedgeError(
      'headers-too-large',
      'The headers are larger than this server takes: send fewer, or shorter.',
    );
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new KedgeError('body-too-large', 'The chunk extensions are larger than this server takes: leave them out.');
  }
  if (!code?.startsWith('HPE_')) return undefined;
  // What the parser says of it may quote the client, so it is not repeated.
  return new KedgeError('request-malformed', 'This is no well-formed HTTP request: see RFC 9112 for its form.');
}

/** Connections that are refused once the requests that came whole are answered. */
const waiting = new WeakSet<Socket>();

/**
 * Answers, with the JSON that every other error has, a connection whose bytes never came to be a request, and ends it. Node's own answer has
 * no body. What was asked before them, and whole, is answered first. Where the answer to the broken request itself is on its way already, another would
 * only garble it.
 * @param onRefused called with the code that it was answered with, if it was
 */
export function refuseConnection(
  error: Error & { code?: string },
  socket: Socket,
  onRefused?: (code: ErrorCode) => void,
): void {
  const refusal = judgeClientError(error.code);
  // What comes while it is still read, or while answers are waited for, is wrong as well, most likely.
  if (socket.writableEnded || (refusal && waiting.has(socket))) return;
  // The response that the connection is busy with, if any: Node asks the same field before it writes its own answer.
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (refusal && socket.writable && current?.req.complete) {
    waiting.add(socket);
    // Node's own listener came first: by then the connection has the next response, or none.
    current.once('finish', () => {
      waiting.delete(socket);
      refuseConnection(error, socket, onRefused);
    });
    return;
  }
  if (!refusal || !socket.writable || current?.headersSent) {
    socket.destroy();
    return;
  }
  const body = bodyOf(refusal);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  onRefused?.(refusal.code);
}

/** For `checkExpectation`: the only expectation there is, 100-continue, is met by Node itself. */
export function refuseExpectation(request: IncomingMessage, response: ServerResponse): ErrorCode {
  request.resume();
  const refusal = new KedgeError('expectation-failed', 'The header Expect can only say 100-continue: leave it out.');
  const body = bodyOf(refusal);
  response.writeHead(refusal.status, { ...HEADERS, 'content-length': Buffer.byteLength(body) });
  response.end(body);
  return refusal.code;
}

/** For what the adapter cannot make a request of: no Host, or a path that is none. */
export function refuseRequest(error: unknown): Response {
  const refusal =
    error instanceof Error && error.name === 'RequestError'
      ? new KedgeError('request-malformed', `The request cannot be understood: ${error.message}.`)
      : new KedgeError('internal', 'An unexpected error.');
  return new Response(bodyOf(refusal), { status: refusal.status, headers: HEADERS });
}

function bodyOf({ message, code }: KedgeError): string {
  return JSON.stringify({ error: message, code });
}
