import type { IncomingMessage } from 'node:http';
import { type BodyLimit, tooLarge } from './body-limit.ts';
import { decompress, requestEncoding } from './encoding.ts';
import { ClientGone } from './errors.ts';

/** How long the rest of a body that is too large is read away, so that its sender gets to the answer. */
const DISCARD_MS = 5_000;
/** The same where it was refused before any of it was read, which is what the adapter gives others. */
const DRAIN_MS = 500;
/** More than this does not come in one piece. */
const AT_ONCE_BYTES = 65_536;

/**
 * The whole body, decompressed; the limit holds for both of its lengths.
 * @throws KedgeError `body-too-large`, `encoding-unsupported`, `request-invalid` where it is not what its encoding says; ClientGone
 */
export function readBody(incoming: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  const header = incoming.headers['content-encoding'];
  return header === undefined ? readPlain(incoming, limit) : readEncoded(incoming, header, limit);
}

/**
 * Most bodies come in the packet of their head, and Node has all of it when what it does with that packet is done. Taking them then, with neither
 * listeners nor the events of a stream's end, which nobody waits for, is the cheapest way to them.
 */
async function readPlain(incoming: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  const declared = Number(incoming.headers['content-length']);
  if (!(declared > 0 && declared <= Math.min(limit.maxBytes, AT_ONCE_BYTES))) return readBytes(incoming, limit);
  // A request of which nothing was ever read is read away by Node once it is answered.
  incoming.read(0);
  await undefined;
  return incoming.readableLength === declared ? (incoming.read() as Buffer) : readBytes(incoming, limit);
}

/** Reads away what is left of a body that was refused unread, so that its sender gets to the answer and the connection stays usable. */
export function drain(incoming: IncomingMessage): void {
  const timer = setTimeout(() => incoming.socket.destroySoon(), DRAIN_MS);
  const done = (): void => clearTimeout(timer);
  incoming.on('end', done).on('close', done).resume();
}

async function readEncoded(incoming: IncomingMessage, header: string, limit: BodyLimit): Promise<Buffer> {
  const encoding = requestEncoding(header);
  const body = await readBytes(incoming, limit);
  return encoding ? decompress(body, encoding, limit) : body;
}

/**
 * The bytes as they come, read from Node's own request: Hono's ways to it cost more than the rest of a request.
 * A body over the limit is read away before it is refused, up to twice the limit, so that the connection stays usable.
 */
function readBytes(incoming: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  if (incoming.destroyed) return Promise.reject(new ClientGone());
  const { maxBytes } = limit;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let timer: NodeJS.Timeout | undefined;

    const settle = (error?: Error): void => {
      clearTimeout(timer);
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    };
    const discard = (): void => {
      chunks.length = 0;
      timer ??= setTimeout(() => settle(tooLarge(limit)), DISCARD_MS);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (timer === undefined && size <= maxBytes) chunks.push(chunk);
      else if (size > 2 * maxBytes) settle(tooLarge(limit));
      else discard();
    };
    const onEnd = (): void => settle(timer === undefined ? undefined : tooLarge(limit));
    const onClose = (): void => settle(new ClientGone());

    const declared = Number(incoming.headers['content-length'] ?? 0);
    if (declared > 2 * maxBytes) return reject(tooLarge(limit));
    if (declared > maxBytes) discard();
    // A connection that breaks raises 'error' and then 'close'.
    incoming
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => undefined);
  });
}
