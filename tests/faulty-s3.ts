import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What goes wrong with one request. */
export type Fault =
  /** The server is not asked; the proxy answers this. */
  | { status: number; code: string }
  /** The answer breaks off after so many bytes of its body: closed, reset, or silent from then on. */
  | { cut: number; how: 'fin' | 'reset' | 'stall' }
  /** One bit of the byte at this offset of the body is wrong. */
  | { flip: number }
  /** The body comes in pieces of so many bytes, one each `everyMs`. */
  | { drip: number; everyMs: number }
  /** The server does it, but the connection ends before the answer. */
  | { lose: true }
  /** Nothing is answered, nor is the server asked. */
  | { hang: true };

export interface Seen {
  method: string;
  /** Path and query. */
  url: string;
  /** How many requests came before. */
  index: number;
}

export type Plan = (seen: Seen) => Fault | undefined;

export interface FaultyS3 {
  url: string;
  /** Decides from the next request on. */
  plan: Plan;
  readonly seen: Seen[];
  /** Connections that clients hold open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/**
 * A proxy in front of a real S3 server that hands requests on as they came, Host header and all, so that signatures hold, and
 * does to them what the plan says.
 */
export async function startFaultyS3(upstream: string, plan: Plan = () => undefined): Promise<FaultyS3> {
  const server = createServer((incoming, outgoing) => {
    const entry: Seen = { method: incoming.method!, url: incoming.url!, index: proxy.seen.length };
    proxy.seen.push(entry);
    const fault = proxy.plan(entry);
    if (fault && 'status' in fault) return refuse(incoming, outgoing, fault);
    if (fault && 'hang' in fault) return void incoming.resume();
    void forward(upstream, incoming, outgoing, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultyS3 = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan,
    seen: [],
    connections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, code }: { status: number; code: string },
) {
  incoming.resume();
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
}

async function forward(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Exclude<Fault, { status: number } | { hang: true }> | undefined,
): Promise<void> {
  const { hostname, port } = new URL(upstream);
  const { method, url: path, rawHeaders: headers } = incoming;
  const onward = request({ hostname, port, method, path, headers, setHost: false, agent: false });
  outgoing.on('close', () => onward.destroy());
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      onward.on('response', resolve).on('error', reject),
    );
    // A server may answer, with an error, before it has read the request; so sending and answering go on side by side.
    const [answer] = await Promise.all([answered, pipeline(incoming, onward)]);
    if (fault && 'lose' in fault) {
      answer.resume().on('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    outgoing.writeHead(answer.statusCode!, answer.rawHeaders);
    outgoing.flushHeaders();
    if (fault) await pipeline(answer, new Damage(fault, incoming), outgoing);
    else await pipeline(answer, outgoing);
  } catch {
    outgoing.destroy();
  }
}

/** The body of an answer on its way, with its fault. */
class Damage extends Transform {
  readonly #fault: Exclude<Fault, { status: number } | { hang: true } | { lose: true }>;
  readonly #incoming: IncomingMessage;
  #sent = 0;

  constructor(fault: Exclude<Fault, { status: number } | { hang: true } | { lose: true }>, incoming: IncomingMessage) {
    super();
    this.#fault = fault;
    this.#incoming = incoming;
    if ('cut' in fault && fault.cut === 0) this.#cut(fault.how);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const fault = this.#fault;
    const at = this.#sent;
    this.#sent += chunk.length;
    if ('drip' in fault) void this.#drip(chunk, fault).then(() => done());
    else if ('flip' in fault) done(null, flipped(chunk, fault.flip - at));
    else if (this.#sent < fault.cut) done(null, chunk);
    else {
      // `done` is not called: nothing follows.
      this.push(chunk.subarray(0, Math.max(fault.cut - at, 0)));
      this.#cut(fault.how);
    }
  }

  async #drip(chunk: Buffer, { drip, everyMs }: { drip: number; everyMs: number }): Promise<void> {
    for (let start = 0; start < chunk.length && !this.destroyed; start += drip) {
      this.push(chunk.subarray(start, start + drip));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  #cut(how: 'fin' | 'reset' | 'stall'): void {
    if (how === 'stall') return;
    const { socket } = this.#incoming;
    // After what was pushed has gone out.
    setTimeout(() => (how === 'fin' ? socket.end() : socket.resetAndDestroy()), 20);
  }
}

function flipped(chunk: Buffer, offset: number): Buffer {
  if (offset >= 0 && offset < chunk.length) chunk[offset]! ^= 1;
  return chunk;
}
