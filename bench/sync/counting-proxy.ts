import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface CountingProxy {
  url: string;
  /** Requests so far. */
  count(): number;
  close(): Promise<void>;
}

/** A proxy that counts requests, and hands them on as they came, Host header and all, so that signatures of S3 hold. @param upstream `http://HOST:PORT` */
export async function startCountingProxy(upstream: string): Promise<CountingProxy> {
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    count += 1;
    void forward(upstream, incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function forward(upstream: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { hostname, port } = new URL(upstream);
  const { method, url: path, rawHeaders: headers } = incoming;
  const onward = request({ hostname, port, method, path, headers, setHost: false, agent: false });
  outgoing.on('close', () => onward.destroy());
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      onward.on('response', resolve).on('error', reject),
    );
    // A server may answer, with an error, before it has read the request.
    const [answer] = await Promise.all([answered, pipeline(incoming, onward)]);
    outgoing.writeHead(answer.statusCode!, answer.rawHeaders);
    await pipeline(answer, outgoing);
  } catch {
    outgoing.destroy();
  }
}
