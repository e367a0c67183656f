import type { ServerResponse } from 'node:http';

/** An answer before it takes the form of whom it is given to: Hono, or Node's own response. */
export interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array<ArrayBuffer> | null;
}

/** For Hono. */
export function responseOf({ status, headers, body }: Reply): Response {
  return new Response(body, { status, headers });
}

/** For Node. Text and its head leave in one write. */
export function sendReply(outgoing: ServerResponse, { status, headers, body }: Reply): void {
  const head: string[] = [];
  for (const name in headers) head.push(name, headers[name]!);
  if (body !== null) {
    head.push('content-length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength));
  }
  outgoing.writeHead(status, head);
  outgoing.end(body);
}
